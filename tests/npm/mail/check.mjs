// Looks at every .html file of a folder and prints what it found as JSON: node check.mjs html|support FOLDER
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [what, folder] = process.argv.slice(2);
const CLIENTS = ["gmail.*", "outlook.*", "apple-mail.*", "yahoo.*"];

async function markup() {
  const { HtmlValidate, StaticConfigLoader } = await import("html-validate");
  const validate = new HtmlValidate(new StaticConfigLoader({ extends: ["html-validate:recommended"] }));
  return async (html) => {
    const { results } = await validate.validateString(html);
    return results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => ({ rule: ruleId, message })));
  };
}

// Two programs over the same data: what one does not look for, the other may.
async function support() {
  const { caniemail } = await import("caniemail");
  const { doIUseEmail } = await import("@jsx-email/doiuse-email");
  return async (html) => {
    const found = [];
    // caniemail knows word-wrap by its newer name only, and fails on the older one.
    const { issues } = caniemail({ clients: CLIENTS, html: html.replaceAll("word-wrap:", "overflow-wrap:") });
    for (const [client, list] of issues.errors) for (const { title } of list) found.push({ client, feature: title });
    for (const text of doIUseEmail(html, { emailClients: CLIENTS }).errors ?? []) {
      const [, feature, client] = text.match(/^`(.+)` is not supported by `(.+)`$/);
      found.push({ client, feature });
    }
    return found;
  };
}

const look = await { html: markup, support }[what]();
const result = {};
for (const name of readdirSync(folder).filter((name) => name.endsWith(".html")))
  result[name] = await look(readFileSync(join(folder, name), "utf8"));
console.log(JSON.stringify(result));
