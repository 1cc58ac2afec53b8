BEGIN TRANSACTION;
CREATE TABLE ids (source TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "ids" VALUES('_posts/2026-11-09-jekyll-ways.md','tag:letters.example,2024:2026-11-09:jekyll-ways');
INSERT INTO "ids" VALUES('eleventy-ways/index.md','tag:letters.example,2024:2026-11-13:eleventy-ways');
INSERT INTO "ids" VALUES('hugo-ways.md','tag:letters.example,2024:2026-11-10:hugo-ways');
INSERT INTO "ids" VALUES('pelican-ways.md','tag:letters.example,2024:2026-11-12:pelican-ways');
INSERT INTO "ids" VALUES('zola-ways.md','tag:letters.example,2024:2026-11-11:zola-ways');
CREATE TABLE origin (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1), host TEXT, authority TEXT, timezone TEXT, folder TEXT,
    seen TEXT
);
INSERT INTO "origin" VALUES(1,'letters.example','letters.example,2024','Europe/Berlin','posts','8110acac77415c628b02ff7e');
COMMIT;
PRAGMA user_version = 0;
