// @ts-check
/** @type {import('@docusaurus/types').Config} */
const config = {
  title: 'Tea Notes',
  tagline: 'What I drink, and why.',
  url: 'https://tea.example',
  baseUrl: '/',
  onBrokenLinks: 'ignore',
  i18n: {defaultLocale: 'en', locales: ['en']},
  presets: [
    [
      'classic',
      {
        docs: false,
        blog: {
          showReadingTime: true,
          blogSidebarCount: 0,
          feedOptions: {type: ['rss', 'atom'], limit: false},
          onInlineAuthors: 'ignore',
          onUntruncatedBlogPosts: 'ignore',
        },
      },
    ],
  ],
};

export default config;
