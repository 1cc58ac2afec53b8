import { writeFileSync } from "node:fs";
import path from "node:path";
import { createContentLoader, defineConfig } from "vitepress";

const host = "https://tea.example";

export default defineConfig({
  title: "Tea Notes",
  description: "What I drink, and why.",
  lang: "en-GB",
  cleanUrls: true,
  srcExclude: ["README.md"],
  ignoreDeadLinks: true,
  sitemap: { hostname: host },
  markdown: { toc: { level: [2] } },
  async buildEnd(config) {
    const posts = await createContentLoader("posts/**/*.md", { render: true }).load();
    const items = posts
      .filter((post) => !post.frontmatter.draft)
      .map((post) => {
        const url = `${host}${post.url}`;
        const date = new Date(post.frontmatter.date).toUTCString();
        return `<item><title>${post.frontmatter.title}</title><link>${url}</link><guid>${url}</guid><pubDate>${date}</pubDate><content:encoded><![CDATA[${post.html}]]></content:encoded></item>`;
      });
    const head = `<channel><title>Tea Notes</title><link>${host}/</link><description>Tea</description>`;
    const rss = `<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">${head}${items.join("\n")}</channel></rss>`;
    writeFileSync(path.join(config.outDir, "feed.rss"), rss);
  },
});
