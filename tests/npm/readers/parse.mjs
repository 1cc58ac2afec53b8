// Reads a feed with one parser and prints what it found as JSON: node parse.mjs rss-parser|feedsmith FILE-OR-URL
import { readFile } from "node:fs/promises";
import { parseFeed } from "feedsmith";
import Parser from "rss-parser";

const [program, place] = process.argv.slice(2);

async function withRssParser() {
  const parser = new Parser({ customFields: { item: [["dc:creator", "creators", { keepArray: true }]] } });
  const feed = await parser.parseURL(place);
  return feed.items.map((item) => ({
    id: item.guid ?? item.id,
    url: item.link,
    title: item.title,
    html: item["content:encoded"] ?? item.content ?? item.summary ?? "",
    authors: item.creators ?? (item.author ? [item.author] : []),
    enclosures: item.enclosure ? [item.enclosure.url] : [],
  }));
}

const person = (found) => (typeof found === "string" ? found : found?.name);

async function withFeedsmith() {
  const text = await (await fetch(place)).text();
  const { format, feed } = parseFeed(text);
  const items = feed.items ?? feed.entries;
  const alternate = (links) => links?.find((link) => link.rel === "alternate")?.href;
  return items.map((item) => ({
    format,
    id: item.guid?.value ?? item.id,
    url: item.link ?? item.url ?? alternate(item.links),
    title: item.title?.value ?? item.title,
    html: item.content_html ?? item.content?.encoded ?? item.content?.value ?? item.content ?? "",
    authors: (item.dc?.creators ?? item.authors ?? []).map(person),
    enclosures: (item.enclosures ?? item.attachments ?? item.links?.filter((link) => link.rel === "enclosure") ?? []).map(
      (file) => file.url ?? file.href,
    ),
  }));
}

const found = program === "feedsmith" ? await withFeedsmith() : await withRssParser();
process.stdout.write(JSON.stringify(found));
