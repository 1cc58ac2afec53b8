import { feedPlugin } from "@11ty/eleventy-plugin-rss";
import { HtmlBasePlugin } from "@11ty/eleventy";

export default function (config) {
  config.addPlugin(HtmlBasePlugin);
  config.addPassthroughCopy({ "assets/img": "/img" });
  config.addShortcode("image", (name, alt) => `<img src="/img/${name}" alt="${alt}">`);
  config.addPairedShortcode("callout", (content, level = "note") => `<div class="callout ${level}">${content}</div>`);
  config.addFilter("shout", (text) => String(text).toUpperCase());
  config.addPlugin(feedPlugin, {
    type: "atom",
    outputPath: "/feed/feed.xml",
    collection: { name: "posts", limit: 0 },
    metadata: {
      language: "en",
      title: "Tea Notes",
      subtitle: "What I drink, and why.",
      base: "https://tea.example/",
      author: { name: "Ada Lovelace" },
    },
  });
}

export const config = {
  templateFormats: ["md", "njk", "html"],
  markdownTemplateEngine: "njk",
  htmlTemplateEngine: "njk",
  dir: { input: "content", includes: "../_includes", data: "../_data", output: "_site" },
};
