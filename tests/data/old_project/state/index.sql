BEGIN TRANSACTION;
CREATE TABLE entries (
    source TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, is_post INTEGER,
    published REAL, updated REAL, expires REAL, in_feeds INTEGER, id TEXT, permalink TEXT, digest TEXT,
    tags TEXT, authors TEXT, post TEXT, problems TEXT, measured TEXT, links TEXT, assets TEXT, body_problems TEXT,
    weight INTEGER, weighed TEXT
) WITHOUT ROWID;
INSERT INTO "entries" VALUES('_posts/2026-11-09-jekyll-ways.md',181,1793491200000000000,1,1794211200.0,1794211200.0,NULL,1,'tag:letters.example,2024:2026-11-09:jekyll-ways','/2026/11/09/jekyll-ways/','e32e4e01914d14c26185f612','birds	birds
maps	maps','Ada','["Jekyll''s ways","https://letters.example/2026/11/09/jekyll-ways/","2026-11-09T09:00:00+01:00","","en",[["Ada","ada@letters.example",""]],{"excerpt":"In short, birds."}]','','','','','',1208,'full:e32e4e01914d14c26185f612');
INSERT INTO "entries" VALUES('broken.md',38,1793491200000000000,0,NULL,NULL,NULL,0,'','','0ed6c4e376bb5a9294c8a4df','','','','[["posts/broken.md", 3, "the front matter is no YAML: did not find expected '','' or '']''", "", "error"]]','','','','',0,'');
INSERT INTO "entries" VALUES('eleventy-ways/index.md',88,1793491200000000000,1,1794556800.0,1794556800.0,NULL,1,'tag:letters.example,2024:2026-11-13:eleventy-ways','/2026/11/13/eleventy-ways/','4c8e90f8fc6497e3006f3482','stars	stars','Ada','["Eleventy''s ways","https://letters.example/2026/11/13/eleventy-ways/","2026-11-13T09:00:00+01:00","","en",[["Ada","ada@letters.example",""]],{}]','','','','','',1071,'full:4c8e90f8fc6497e3006f3482');
INSERT INTO "entries" VALUES('hugo-ways.md',172,1793491200000000000,1,1794297600.0,1794297600.0,NULL,1,'tag:letters.example,2024:2026-11-10:hugo-ways','/2026/11/10/hugo-ways/','b223bd898564923535f23de0','essay	Essay
maps	maps','Ada','["Hugo''s ways","https://letters.example/2026/11/10/hugo-ways/","2026-11-10T09:00:00+01:00","","en",[["Ada","ada@letters.example",""]],{"excerpt":"In short, maps."}]','','','','','',1349,'full:b223bd898564923535f23de0');
INSERT INTO "entries" VALUES('pelican-ways.md',114,1793491200000000000,1,1794470400.0,1794470400.0,NULL,1,'tag:letters.example,2024:2026-11-12:pelican-ways','/2026/11/12/pelican-ways/','81493c0446c7a19470143e37','essay	essay
birds	birds','Ada','["Pelican''s ways","https://letters.example/2026/11/12/pelican-ways/","2026-11-12T09:00:00+01:00","","en",[["Ada","ada@letters.example",""]],{"excerpt":"In short, pelicans."}]','','','','','',1116,'full:81493c0446c7a19470143e37');
INSERT INTO "entries" VALUES('second-week.md',97,1793491200000000000,1,1794988800.0,1794988800.0,NULL,1,'tag:letters.example,2024:2026-11-18:second-week','/2026/11/18/second-week/','1e5bec36c5efbb894954c8e8','essay	essay
stars	stars','Ada','["The second week","https://letters.example/2026/11/18/second-week/","2026-11-18T09:00:00+01:00","","en",[["Ada","ada@letters.example",""]],{}]','','','','','',0,'');
INSERT INTO "entries" VALUES('zola-ways.md',147,1793491200000000000,1,1794384000.0,1794384000.0,NULL,1,'tag:letters.example,2024:2026-11-11:zola-ways','/2026/11/11/zola-ways/','edc6763c023a45548d9a81e4','stars	stars','Grace','["Zola''s ways","https://letters.example/2026/11/11/zola-ways/","2026-11-11T09:00:00+01:00","","en",[["Grace","",""]],{}]','','','','','',1066,'full:edc6763c023a45548d9a81e4');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO "meta" VALUES('key','18ec7dd95332bd238b431553');
CREATE INDEX with_problems ON entries (source) WHERE problems != '';
CREATE INDEX with_measured ON entries (source) WHERE measured != '';
CREATE INDEX with_links ON entries (source) WHERE links != '';
CREATE INDEX with_assets ON entries (source) WHERE assets != '';
CREATE INDEX with_body_problems ON entries (source) WHERE body_problems != '';
COMMIT;
PRAGMA user_version = 0;
