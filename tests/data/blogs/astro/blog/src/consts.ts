export const SITE_TITLE = "Tea Notes";
export const SITE_DESCRIPTION = "What I drink, and why.";
