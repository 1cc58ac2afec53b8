BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0006');
CREATE TABLE bounces (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	subscriber_id INTEGER NOT NULL, 
	edition_id INTEGER, 
	delivery_id INTEGER, 
	verdict VARCHAR(20) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	words TEXT NOT NULL, 
	source TEXT NOT NULL, 
	CONSTRAINT pk_bounces PRIMARY KEY (id), 
	CONSTRAINT fk_bounces_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id), 
	CONSTRAINT fk_bounces_edition_id FOREIGN KEY(edition_id) REFERENCES editions (id)
);
CREATE TABLE chores (
	name VARCHAR(40) NOT NULL, 
	begun_at DATETIME NOT NULL, 
	CONSTRAINT pk_chores PRIMARY KEY (name)
);
INSERT INTO "chores" VALUES('read bounces','2026-11-23 07:00:10.000000');
INSERT INTO "chores" VALUES('forget','2026-11-23 07:00:10.000000');
INSERT INTO "chores" VALUES('roll up','2026-11-23 07:00:10.000000');
INSERT INTO "chores" VALUES('tell hub','2026-11-23 07:00:10.000000');
INSERT INTO "chores" VALUES('forget reports','2026-11-23 07:00:10.000000');
INSERT INTO "chores" VALUES('optimise','2026-11-23 07:00:10.000000');
CREATE TABLE consent_events (
	id INTEGER NOT NULL, 
	subscriber_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	what VARCHAR(40) NOT NULL, 
	source TEXT NOT NULL, 
	detail TEXT NOT NULL, text_version TEXT, ip TEXT, user_agent TEXT, 
	CONSTRAINT pk_consent_events PRIMARY KEY (id), 
	CONSTRAINT fk_consent_events_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id)
);
INSERT INTO "consent_events" VALUES(1,1,'2026-11-01 09:00:00.000000','added','command line','',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(2,1,'2026-11-01 09:00:00.000000','subscribed','command line','weekly',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(3,1,'2026-11-01 09:00:00.000000','subscribed','command line','essays',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(4,2,'2026-11-01 10:00:00.000000','added','command line','',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(5,2,'2026-11-01 10:00:00.000000','subscribed','command line','weekly ["birds"]',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(6,3,'2026-11-01 11:00:00.000000','added','command line','',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(7,3,'2026-11-01 11:00:00.000000','subscribed','command line','essays',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(8,4,'2026-11-01 11:00:00.000000','added','command line','',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(9,4,'2026-11-01 11:00:00.000000','subscribed','command line','weekly',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(10,5,'2026-11-01 11:00:00.000000','added','command line','',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(11,5,'2026-11-01 11:00:00.000000','subscribed','command line','weekly',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(12,6,'2026-11-02 09:00:00.000000','requested','form /subscribe','weekly ["stars"]','2026-11',NULL,NULL);
INSERT INTO "consent_events" VALUES(13,6,'2026-11-02 10:00:00.000000','confirmed','link /confirm','',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(14,6,'2026-11-02 10:00:00.000000','subscribed','link /confirm','weekly ["stars"]',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(15,7,'2026-11-15 09:00:00.000000','requested','form /subscribe','weekly','2026-11',NULL,NULL);
INSERT INTO "consent_events" VALUES(16,4,'2026-11-05 09:00:00.000000','unsubscribed','link /unsubscribe','too much',NULL,NULL,NULL);
INSERT INTO "consent_events" VALUES(17,5,'2026-11-05 09:00:00.000000','suppressed','command line','',NULL,NULL,NULL);
CREATE TABLE deliveries (
	id INTEGER NOT NULL, 
	edition_id INTEGER NOT NULL, 
	subscriber_id INTEGER NOT NULL, 
	variant VARCHAR(255) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	attempts INTEGER NOT NULL, 
	lease_owner VARCHAR(120), 
	lease_until DATETIME, 
	next_try_at DATETIME, 
	sent_at DATETIME, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_deliveries PRIMARY KEY (id), 
	CONSTRAINT uq_deliveries_edition_id_subscriber_id UNIQUE (edition_id, subscriber_id), 
	CONSTRAINT fk_deliveries_edition_id FOREIGN KEY(edition_id) REFERENCES editions (id), 
	CONSTRAINT fk_deliveries_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id)
);
INSERT INTO "deliveries" VALUES(1,1,1,'','sent',1,NULL,NULL,NULL,'2026-11-16 09:00:00.000000','');
INSERT INTO "deliveries" VALUES(2,1,2,'birds','sent',1,NULL,NULL,NULL,'2026-11-16 09:00:00.000000','');
INSERT INTO "deliveries" VALUES(3,1,6,'stars','sent',1,NULL,NULL,NULL,'2026-11-16 09:00:00.000000','');
INSERT INTO "deliveries" VALUES(4,2,1,'','queued',0,NULL,NULL,'2026-11-17 07:00:00.000000',NULL,'');
INSERT INTO "deliveries" VALUES(5,2,3,'','queued',0,NULL,NULL,'2026-11-17 07:00:00.000000',NULL,'');
INSERT INTO "deliveries" VALUES(6,3,1,'','queued',0,NULL,NULL,'2026-11-23 07:00:10.000000',NULL,'');
INSERT INTO "deliveries" VALUES(7,3,6,'','queued',0,NULL,NULL,'2026-11-23 07:00:10.000000',NULL,'');
INSERT INTO "deliveries" VALUES(8,4,1,'','queued',0,NULL,NULL,'2026-11-24 07:00:00.000000',NULL,'');
INSERT INTO "deliveries" VALUES(9,4,3,'','queued',0,NULL,NULL,'2026-11-24 07:00:00.000000',NULL,'');
CREATE TABLE delivery_totals (
	edition_id INTEGER NOT NULL, 
	variant VARCHAR(255) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	total INTEGER NOT NULL, 
	CONSTRAINT pk_delivery_totals PRIMARY KEY (edition_id, variant, status), 
	CONSTRAINT fk_delivery_totals_edition_id FOREIGN KEY(edition_id) REFERENCES editions (id)
);
CREATE TABLE edition_posts (
	edition_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	post_id TEXT NOT NULL, 
	title TEXT NOT NULL, 
	url TEXT NOT NULL, 
	CONSTRAINT pk_edition_posts PRIMARY KEY (edition_id, position), 
	CONSTRAINT fk_edition_posts_edition_id FOREIGN KEY(edition_id) REFERENCES editions (id)
);
INSERT INTO "edition_posts" VALUES(1,0,'tag:letters.example,2024:2026-11-13:eleventy-ways','Eleventy''s ways','https://letters.example/2026/11/13/eleventy-ways/');
INSERT INTO "edition_posts" VALUES(1,1,'tag:letters.example,2024:2026-11-12:pelican-ways','Pelican''s ways','https://letters.example/2026/11/12/pelican-ways/');
INSERT INTO "edition_posts" VALUES(1,2,'tag:letters.example,2024:2026-11-11:zola-ways','Zola''s ways','https://letters.example/2026/11/11/zola-ways/');
INSERT INTO "edition_posts" VALUES(1,3,'tag:letters.example,2024:2026-11-10:hugo-ways','Hugo''s ways','https://letters.example/2026/11/10/hugo-ways/');
INSERT INTO "edition_posts" VALUES(1,4,'tag:letters.example,2024:2026-11-09:jekyll-ways','Jekyll''s ways','https://letters.example/2026/11/09/jekyll-ways/');
INSERT INTO "edition_posts" VALUES(2,0,'tag:letters.example,2024:2026-11-12:pelican-ways','Pelican''s ways','https://letters.example/2026/11/12/pelican-ways/');
INSERT INTO "edition_posts" VALUES(2,1,'tag:letters.example,2024:2026-11-10:hugo-ways','Hugo''s ways','https://letters.example/2026/11/10/hugo-ways/');
INSERT INTO "edition_posts" VALUES(3,0,'tag:letters.example,2024:2026-11-18:second-week','The second week','https://letters.example/2026/11/18/second-week/');
INSERT INTO "edition_posts" VALUES(4,0,'tag:letters.example,2024:2026-11-18:second-week','The second week','https://letters.example/2026/11/18/second-week/');
CREATE TABLE editions (
	id INTEGER NOT NULL, 
	newsletter VARCHAR(100) NOT NULL, 
	slot TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	subject TEXT NOT NULL, 
	made_at DATETIME NOT NULL, held TEXT DEFAULT '' NOT NULL, goes_at DATETIME, 
	CONSTRAINT pk_editions PRIMARY KEY (id), 
	CONSTRAINT uq_editions_newsletter_slot UNIQUE (newsletter, slot)
);
INSERT INTO "editions" VALUES(1,'weekly','2026-W47',1,'Eleventy''s ways and 4 more','2026-11-16 09:00:00.000000','',NULL);
INSERT INTO "editions" VALUES(2,'essays','2026-W47',1,'Pelican''s ways and 1 more','2026-11-16 12:00:00.000000','waits for approval, then goes at 2026-11-17 08:00 (Europe/Berlin)','2026-11-17 07:00:00.000000');
INSERT INTO "editions" VALUES(3,'weekly','2026-W48',2,'A word before','2026-11-23 07:00:10.000000','waits for my boss',NULL);
INSERT INTO "editions" VALUES(4,'essays','2026-W48',2,'The second week','2026-11-23 07:00:10.000000','waits for approval, then goes at 2026-11-24 08:00 (Europe/Berlin)','2026-11-24 07:00:00.000000');
CREATE TABLE feed_readers (
	feed VARCHAR(200) NOT NULL, 
	reader VARCHAR(60) NOT NULL, 
	subscribers INTEGER NOT NULL, 
	seen_at DATETIME NOT NULL, 
	CONSTRAINT pk_feed_readers PRIMARY KEY (feed, reader)
);
CREATE TABLE feed_requests (
	feed VARCHAR(200) NOT NULL, 
	day VARCHAR(10) NOT NULL, 
	requests INTEGER NOT NULL, 
	CONSTRAINT pk_feed_requests PRIMARY KEY (feed, day)
);
CREATE TABLE hosts (
	host VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	seen_at DATETIME NOT NULL, 
	confirmed_at DATETIME, 
	CONSTRAINT pk_hosts PRIMARY KEY (host)
);
INSERT INTO "hosts" VALUES('96fed866b983018f','an older host','2026-11-16 09:00:00.000000','2026-11-16 09:00:00.000000');
CREATE TABLE letters (
	edition_id INTEGER NOT NULL, 
	variant VARCHAR(255) NOT NULL, 
	subject TEXT NOT NULL, 
	preheader TEXT NOT NULL, 
	html TEXT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_letters PRIMARY KEY (edition_id, variant), 
	CONSTRAINT fk_letters_edition_id FOREIGN KEY(edition_id) REFERENCES editions (id)
);
INSERT INTO "letters" VALUES(1,'','Eleventy''s ways and 4 more','All about eleven.','<!DOCTYPE html>
<html lang="en" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<meta name="x-apple-disable-message-reformatting">
<title>Eleventy''s ways and 4 more</title>
<!--[if mso]>
<xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml>
<style>
table {border-collapse: collapse}
td, th, p, li, a, dt, dd {font-family: "Segoe UI", Arial, sans-serif !important}
h1, h1 a, h2, h2 a, h3, h3 a {font-family: Georgia, serif !important}
pre, code {font-family: Consolas, monospace !important}
</style>
<![endif]-->
<style>
/* Kept as rules: under 16,384 characters, no at-rule inside another, or Gmail drops all of it.
   !important, because style attributes win otherwise. */

:root {color-scheme: light dark; supported-color-schemes: light dark}
a:hover {text-decoration: underline !important}

@media (max-width: 600px) {
.frame-cell {padding: 0 !important}
.sheet {border-radius: 0 !important}
.cell {padding-left: 20px !important; padding-right: 20px !important}
.lead-title {font-size: 26px !important}
.lead {padding-top: 22px !important; padding-bottom: 30px !important}
}

@media (prefers-color-scheme: dark) {
.page, .frame {background-color: #131211 !important}
.preheader {color: #131211 !important}
.sheet {background-color: #1d1b19 !important; color: #ebe7df !important}
.name-link, .title-link, .contents-link {color: #ebe7df !important}
.contents-link {text-decoration-color: #504e4a !important}
.masthead-issue, .line, .small, .small-link, .caption, .contents-title, .contents-list, .plain-name, .picture, .body h6, .body img {color: #a5a29c !important}
.more-link, .plain-link, .body a {color: #79c4ef !important}
.masthead, .divider, .footer, .body .notes, .body td {border-color: #383633 !important}
.body th, .body blockquote {border-color: #504e4a !important}
.body blockquote, .body .notes {color: #c6c2bb !important}
.body hr {background-color: #504e4a !important}
.body code, .body pre, .body kbd, .body .alert, .body a.media {background-color: #282624 !important; color: #ebe7df !important}
.body pre code {background-color: #282624 !important}
.body a.media {color: #79c4ef !important}
.body kbd {border-color: #504e4a !important}
.body mark {background-color: #6a5310 !important; color: #fff7df !important}
.c-word {color: #f0a57c !important}
.c-text {color: #9bd0a3 !important}
.c-note {color: #a5a29c !important}
.c-number {color: #9dbcff !important}
.c-name {color: #d0a6f2 !important}
.c-out {color: #ff9d92 !important}
}
</style>
</head>
<body class="page" style="margin:0; padding:0; width:100%; background-color:#f4f2ee; -webkit-text-size-adjust:100%; word-spacing:normal">
<div class="preheader personal" aria-hidden="true" style="display:none; max-height:0; max-width:0; overflow:hidden; opacity:0; font-size:1px; line-height:1px; color:#f4f2ee; mso-hide:all">All about eleven.͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ </div>
<div role="article" aria-label="Eleventy''s ways and 4 more" lang="en" dir="ltr">
<table role="presentation" class="frame" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; background-color:#f4f2ee"><tr><td class="frame-cell" align="center" style="padding:28px 12px 40px 12px">
<!--[if mso]><table role="presentation" width="600" align="center" border="0" cellpadding="0" cellspacing="0"><tr><td><![endif]-->
<table role="presentation" class="sheet" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; max-width:600px; table-layout:fixed; background-color:#ffffff; color:#1f1d1a; border-radius:10px; font-family:-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif; font-size:17px; line-height:1.6; text-align:left">
<tr><td class="cell" style="word-wrap:break-word; overflow-wrap:break-word; padding:32px 32px 0 32px">
<table role="presentation" class="masthead" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; border-bottom:1px solid #e2e2e1"><tr>
<td style="padding:0"><h1 style="margin:0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold; letter-spacing:0"><a class="name-link" href="https://letters.example/" style="color:#1f1d1a; text-decoration:none">The week</a></h1></td>
</tr><tr>
<td class="masthead-issue" style="padding:2px 0 20px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto" style="white-space:nowrap">No. 1</span>  ·  <span dir="auto" style="white-space:nowrap">November 16, 2026</span></td>
</tr></table>

</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><p style="text-transform:lowercase">Hello @@publisher-name@@, from an old template.</p></td></tr>

<tr><td class="cell" style="word-wrap:break-word; overflow-wrap:break-word; padding:24px 32px 0 32px">
<h2 class="contents-title" style="margin:0 0 6px 0; font-size:14px; line-height:1.5; font-weight:bold; color:#6b6a68">In this letter</h2>
<ol class="contents-list" style="margin:0; padding:0 0 0 30px; color:#6b6a68; font-size:16px; line-height:1.5">
<li lang="en" dir="ltr" style="margin:0; padding:3px 0 3px 4px"><a class="contents-link" href="https://letters.example/2026/11/13/eleventy-ways/" dir="ltr" style="color:#1f1d1a; text-decoration:underline; text-decoration-color:#c7c6c6">Eleventy''s ways</a></li>
<li lang="en" dir="ltr" style="margin:0; padding:3px 0 3px 4px"><a class="contents-link" href="https://letters.example/2026/11/12/pelican-ways/" dir="ltr" style="color:#1f1d1a; text-decoration:underline; text-decoration-color:#c7c6c6">Pelican''s ways</a></li>
<li lang="en" dir="ltr" style="margin:0; padding:3px 0 3px 4px"><a class="contents-link" href="https://letters.example/2026/11/11/zola-ways/" dir="ltr" style="color:#1f1d1a; text-decoration:underline; text-decoration-color:#c7c6c6">Zola''s ways</a></li>
<li lang="en" dir="ltr" style="margin:0; padding:3px 0 3px 4px"><a class="contents-link" href="https://letters.example/2026/11/10/hugo-ways/" dir="ltr" style="color:#1f1d1a; text-decoration:underline; text-decoration-color:#c7c6c6">Hugo''s ways</a></li>
<li lang="en" dir="ltr" style="margin:0; padding:3px 0 3px 4px"><a class="contents-link" href="https://letters.example/2026/11/09/jekyll-ways/" dir="ltr" style="color:#1f1d1a; text-decoration:underline; text-decoration-color:#c7c6c6">Jekyll''s ways</a></li>
</ol>
</td></tr>
<tr><td class="cell lead" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 36px 32px; text-align:left">

<h2 class="lead-title" style="margin:0 0 8px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:30px; line-height:1.2; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/13/eleventy-ways/" style="text-decoration:none; color:#0a5a8a">Eleventy''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 13, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">All about eleven.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/13/eleventy-ways/" aria-label="Continue reading: Eleventy''s ways" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><div class="divider" style="height:1px; font-size:1px; line-height:1px; border-top:1px solid #e2e2e1"> </div></td></tr>

<tr><td class="cell" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 32px 32px; text-align:left">
<h2 style="margin:0 0 6px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/12/pelican-ways/" style="text-decoration:none; color:#0a5a8a">Pelican''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 12, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">In short, pelicans.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/12/pelican-ways/" aria-label="Continue reading: Pelican''s ways" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><div class="divider" style="height:1px; font-size:1px; line-height:1px; border-top:1px solid #e2e2e1"> </div></td></tr>

<tr><td class="cell" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 32px 32px; text-align:left">
<h2 style="margin:0 0 6px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/11/zola-ways/" style="text-decoration:none; color:#0a5a8a">Zola''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Grace</span>  ·  <span dir="auto" style="white-space:nowrap">November 11, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">All about stars.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/11/zola-ways/" aria-label="Continue reading: Zola''s ways" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><div class="divider" style="height:1px; font-size:1px; line-height:1px; border-top:1px solid #e2e2e1"> </div></td></tr>

<tr><td class="cell" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 32px 32px; text-align:left">
<h2 style="margin:0 0 6px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/10/hugo-ways/" style="text-decoration:none; color:#0a5a8a">Hugo''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 10, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">In short, maps.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/10/hugo-ways/" aria-label="Continue reading: Hugo''s ways" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><div class="divider" style="height:1px; font-size:1px; line-height:1px; border-top:1px solid #e2e2e1"> </div></td></tr>

<tr><td class="cell" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 32px 32px; text-align:left">
<h2 style="margin:0 0 6px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/09/jekyll-ways/" style="text-decoration:none; color:#0a5a8a">Jekyll''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 9, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">In short, birds.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/09/jekyll-ways/" aria-label="Continue reading: Jekyll''s ways" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell footer" style="word-wrap:break-word; overflow-wrap:break-word; padding:24px 32px 32px 32px; border-top:1px solid #e2e2e1">
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">You get this letter because @@publisher-address@@ subscribed to The week.</p>
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="@@publisher-preferences@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Choose what you get</a>  ·  <a class="small-link" href="@@publisher-unsubscribe@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">No more of this</a>  ·  <a class="small-link" href="https://letters.example/editions/weekly/2026-W47/" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Read on the web</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="https://letters.example/feed.xml" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Follow the feed</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">The week<br><span dir="auto">1 Reading Room, 12345 Bookham</span></p>
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</div>
</body>
</html>
','The week
========
No. 1 · November 16, 2026
Read on the web: https://letters.example/editions/weekly/2026-W47/

In this letter:

1. Eleventy''s ways
2. Pelican''s ways
3. Zola''s ways
4. Hugo''s ways
5. Jekyll''s ways

------------------------------------------------------------------------

Eleventy''s ways
===============
Ada · November 13, 2026 · 1 min read
https://letters.example/2026/11/13/eleventy-ways/

All about eleven.

------------------------------------------------------------------------

Pelican''s ways
==============
Ada · November 12, 2026 · 1 min read
https://letters.example/2026/11/12/pelican-ways/

In short, pelicans.

------------------------------------------------------------------------

Zola''s ways
===========
Grace · November 11, 2026 · 1 min read
https://letters.example/2026/11/11/zola-ways/

All about stars.

------------------------------------------------------------------------

Hugo''s ways
===========
Ada · November 10, 2026 · 1 min read
https://letters.example/2026/11/10/hugo-ways/

In short, maps.

------------------------------------------------------------------------

Jekyll''s ways
=============
Ada · November 9, 2026 · 1 min read
https://letters.example/2026/11/09/jekyll-ways/

In short, birds.

------------------------------------------------------------------------

You get this letter because @@publisher-address@@ subscribed to The
week.

Choose what you get: @@publisher-preferences@@
No more of this: @@publisher-unsubscribe@@
Follow the feed: https://letters.example/feed.xml

The week
1 Reading Room, 12345 Bookham
');
INSERT INTO "letters" VALUES(1,'birds','Pelican''s ways and 1 more','In short, pelicans.','<!DOCTYPE html>
<html lang="en" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<meta name="x-apple-disable-message-reformatting">
<title>Pelican''s ways and 1 more</title>
<!--[if mso]>
<xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml>
<style>
table {border-collapse: collapse}
td, th, p, li, a, dt, dd {font-family: "Segoe UI", Arial, sans-serif !important}
h1, h1 a, h2, h2 a, h3, h3 a {font-family: Georgia, serif !important}
pre, code {font-family: Consolas, monospace !important}
</style>
<![endif]-->
<style>
/* Kept as rules: under 16,384 characters, no at-rule inside another, or Gmail drops all of it.
   !important, because style attributes win otherwise. */

:root {color-scheme: light dark; supported-color-schemes: light dark}
a:hover {text-decoration: underline !important}

@media (max-width: 600px) {
.frame-cell {padding: 0 !important}
.sheet {border-radius: 0 !important}
.cell {padding-left: 20px !important; padding-right: 20px !important}
.lead-title {font-size: 26px !important}
.lead {padding-top: 22px !important; padding-bottom: 30px !important}
}

@media (prefers-color-scheme: dark) {
.page, .frame {background-color: #131211 !important}
.preheader {color: #131211 !important}
.sheet {background-color: #1d1b19 !important; color: #ebe7df !important}
.name-link, .title-link, .contents-link {color: #ebe7df !important}
.contents-link {text-decoration-color: #504e4a !important}
.masthead-issue, .line, .small, .small-link, .caption, .contents-title, .contents-list, .plain-name, .picture, .body h6, .body img {color: #a5a29c !important}
.more-link, .plain-link, .body a {color: #79c4ef !important}
.masthead, .divider, .footer, .body .notes, .body td {border-color: #383633 !important}
.body th, .body blockquote {border-color: #504e4a !important}
.body blockquote, .body .notes {color: #c6c2bb !important}
.body hr {background-color: #504e4a !important}
.body code, .body pre, .body kbd, .body .alert, .body a.media {background-color: #282624 !important; color: #ebe7df !important}
.body pre code {background-color: #282624 !important}
.body a.media {color: #79c4ef !important}
.body kbd {border-color: #504e4a !important}
.body mark {background-color: #6a5310 !important; color: #fff7df !important}
.c-word {color: #f0a57c !important}
.c-text {color: #9bd0a3 !important}
.c-note {color: #a5a29c !important}
.c-number {color: #9dbcff !important}
.c-name {color: #d0a6f2 !important}
.c-out {color: #ff9d92 !important}
}
</style>
</head>
<body class="page" style="margin:0; padding:0; width:100%; background-color:#f4f2ee; -webkit-text-size-adjust:100%; word-spacing:normal">
<div class="preheader personal" aria-hidden="true" style="display:none; max-height:0; max-width:0; overflow:hidden; opacity:0; font-size:1px; line-height:1px; color:#f4f2ee; mso-hide:all">In short, pelicans.͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ </div>
<div role="article" aria-label="Pelican''s ways and 1 more" lang="en" dir="ltr">
<table role="presentation" class="frame" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; background-color:#f4f2ee"><tr><td class="frame-cell" align="center" style="padding:28px 12px 40px 12px">
<!--[if mso]><table role="presentation" width="600" align="center" border="0" cellpadding="0" cellspacing="0"><tr><td><![endif]-->
<table role="presentation" class="sheet" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; max-width:600px; table-layout:fixed; background-color:#ffffff; color:#1f1d1a; border-radius:10px; font-family:-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif; font-size:17px; line-height:1.6; text-align:left">
<tr><td class="cell" style="word-wrap:break-word; overflow-wrap:break-word; padding:32px 32px 0 32px">
<table role="presentation" class="masthead" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; border-bottom:1px solid #e2e2e1"><tr>
<td style="padding:0"><h1 style="margin:0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold; letter-spacing:0"><a class="name-link" href="https://letters.example/" style="color:#1f1d1a; text-decoration:none">The week</a></h1></td>
</tr><tr>
<td class="masthead-issue" style="padding:2px 0 20px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto" style="white-space:nowrap">No. 1</span>  ·  <span dir="auto" style="white-space:nowrap">November 16, 2026</span></td>
</tr></table>

</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><p style="text-transform:lowercase">Hello @@publisher-name@@, from an old template.</p></td></tr>

<tr><td class="cell lead" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 36px 32px; text-align:left">

<h2 class="lead-title" style="margin:0 0 8px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:30px; line-height:1.2; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/12/pelican-ways/" style="text-decoration:none; color:#0a5a8a">Pelican''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 12, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">In short, pelicans.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/12/pelican-ways/" aria-label="Continue reading: Pelican''s ways" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><div class="divider" style="height:1px; font-size:1px; line-height:1px; border-top:1px solid #e2e2e1"> </div></td></tr>

<tr><td class="cell" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 32px 32px; text-align:left">
<h2 style="margin:0 0 6px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/09/jekyll-ways/" style="text-decoration:none; color:#0a5a8a">Jekyll''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 9, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">In short, birds.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/09/jekyll-ways/" aria-label="Continue reading: Jekyll''s ways" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell footer" style="word-wrap:break-word; overflow-wrap:break-word; padding:24px 32px 32px 32px; border-top:1px solid #e2e2e1">
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">You get this letter because @@publisher-address@@ subscribed to The week.</p>
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="@@publisher-preferences@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Choose what you get</a>  ·  <a class="small-link" href="@@publisher-unsubscribe@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">No more of this</a>  ·  <a class="small-link" href="https://letters.example/editions/weekly/2026-W47/" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Read on the web</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="https://letters.example/feed.xml" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Follow the feed</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">The week<br><span dir="auto">1 Reading Room, 12345 Bookham</span></p>
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</div>
</body>
</html>
','The week
========
No. 1 · November 16, 2026
Read on the web: https://letters.example/editions/weekly/2026-W47/

------------------------------------------------------------------------

Pelican''s ways
==============
Ada · November 12, 2026 · 1 min read
https://letters.example/2026/11/12/pelican-ways/

In short, pelicans.

------------------------------------------------------------------------

Jekyll''s ways
=============
Ada · November 9, 2026 · 1 min read
https://letters.example/2026/11/09/jekyll-ways/

In short, birds.

------------------------------------------------------------------------

You get this letter because @@publisher-address@@ subscribed to The
week.

Choose what you get: @@publisher-preferences@@
No more of this: @@publisher-unsubscribe@@
Follow the feed: https://letters.example/feed.xml

The week
1 Reading Room, 12345 Bookham
');
INSERT INTO "letters" VALUES(1,'stars','Eleventy''s ways and 1 more','All about eleven.','<!DOCTYPE html>
<html lang="en" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<meta name="x-apple-disable-message-reformatting">
<title>Eleventy''s ways and 1 more</title>
<!--[if mso]>
<xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml>
<style>
table {border-collapse: collapse}
td, th, p, li, a, dt, dd {font-family: "Segoe UI", Arial, sans-serif !important}
h1, h1 a, h2, h2 a, h3, h3 a {font-family: Georgia, serif !important}
pre, code {font-family: Consolas, monospace !important}
</style>
<![endif]-->
<style>
/* Kept as rules: under 16,384 characters, no at-rule inside another, or Gmail drops all of it.
   !important, because style attributes win otherwise. */

:root {color-scheme: light dark; supported-color-schemes: light dark}
a:hover {text-decoration: underline !important}

@media (max-width: 600px) {
.frame-cell {padding: 0 !important}
.sheet {border-radius: 0 !important}
.cell {padding-left: 20px !important; padding-right: 20px !important}
.lead-title {font-size: 26px !important}
.lead {padding-top: 22px !important; padding-bottom: 30px !important}
}

@media (prefers-color-scheme: dark) {
.page, .frame {background-color: #131211 !important}
.preheader {color: #131211 !important}
.sheet {background-color: #1d1b19 !important; color: #ebe7df !important}
.name-link, .title-link, .contents-link {color: #ebe7df !important}
.contents-link {text-decoration-color: #504e4a !important}
.masthead-issue, .line, .small, .small-link, .caption, .contents-title, .contents-list, .plain-name, .picture, .body h6, .body img {color: #a5a29c !important}
.more-link, .plain-link, .body a {color: #79c4ef !important}
.masthead, .divider, .footer, .body .notes, .body td {border-color: #383633 !important}
.body th, .body blockquote {border-color: #504e4a !important}
.body blockquote, .body .notes {color: #c6c2bb !important}
.body hr {background-color: #504e4a !important}
.body code, .body pre, .body kbd, .body .alert, .body a.media {background-color: #282624 !important; color: #ebe7df !important}
.body pre code {background-color: #282624 !important}
.body a.media {color: #79c4ef !important}
.body kbd {border-color: #504e4a !important}
.body mark {background-color: #6a5310 !important; color: #fff7df !important}
.c-word {color: #f0a57c !important}
.c-text {color: #9bd0a3 !important}
.c-note {color: #a5a29c !important}
.c-number {color: #9dbcff !important}
.c-name {color: #d0a6f2 !important}
.c-out {color: #ff9d92 !important}
}
</style>
</head>
<body class="page" style="margin:0; padding:0; width:100%; background-color:#f4f2ee; -webkit-text-size-adjust:100%; word-spacing:normal">
<div class="preheader personal" aria-hidden="true" style="display:none; max-height:0; max-width:0; overflow:hidden; opacity:0; font-size:1px; line-height:1px; color:#f4f2ee; mso-hide:all">All about eleven.͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ </div>
<div role="article" aria-label="Eleventy''s ways and 1 more" lang="en" dir="ltr">
<table role="presentation" class="frame" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; background-color:#f4f2ee"><tr><td class="frame-cell" align="center" style="padding:28px 12px 40px 12px">
<!--[if mso]><table role="presentation" width="600" align="center" border="0" cellpadding="0" cellspacing="0"><tr><td><![endif]-->
<table role="presentation" class="sheet" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; max-width:600px; table-layout:fixed; background-color:#ffffff; color:#1f1d1a; border-radius:10px; font-family:-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif; font-size:17px; line-height:1.6; text-align:left">
<tr><td class="cell" style="word-wrap:break-word; overflow-wrap:break-word; padding:32px 32px 0 32px">
<table role="presentation" class="masthead" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; border-bottom:1px solid #e2e2e1"><tr>
<td style="padding:0"><h1 style="margin:0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold; letter-spacing:0"><a class="name-link" href="https://letters.example/" style="color:#1f1d1a; text-decoration:none">The week</a></h1></td>
</tr><tr>
<td class="masthead-issue" style="padding:2px 0 20px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto" style="white-space:nowrap">No. 1</span>  ·  <span dir="auto" style="white-space:nowrap">November 16, 2026</span></td>
</tr></table>

</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><p style="text-transform:lowercase">Hello @@publisher-name@@, from an old template.</p></td></tr>

<tr><td class="cell lead" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 36px 32px; text-align:left">

<h2 class="lead-title" style="margin:0 0 8px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:30px; line-height:1.2; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/13/eleventy-ways/" style="text-decoration:none; color:#0a5a8a">Eleventy''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 13, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">All about eleven.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/13/eleventy-ways/" aria-label="Continue reading: Eleventy''s ways" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><div class="divider" style="height:1px; font-size:1px; line-height:1px; border-top:1px solid #e2e2e1"> </div></td></tr>

<tr><td class="cell" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 32px 32px; text-align:left">
<h2 style="margin:0 0 6px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/11/zola-ways/" style="text-decoration:none; color:#0a5a8a">Zola''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Grace</span>  ·  <span dir="auto" style="white-space:nowrap">November 11, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">All about stars.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/11/zola-ways/" aria-label="Continue reading: Zola''s ways" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell footer" style="word-wrap:break-word; overflow-wrap:break-word; padding:24px 32px 32px 32px; border-top:1px solid #e2e2e1">
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">You get this letter because @@publisher-address@@ subscribed to The week.</p>
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="@@publisher-preferences@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Choose what you get</a>  ·  <a class="small-link" href="@@publisher-unsubscribe@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">No more of this</a>  ·  <a class="small-link" href="https://letters.example/editions/weekly/2026-W47/" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Read on the web</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="https://letters.example/feed.xml" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Follow the feed</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">The week<br><span dir="auto">1 Reading Room, 12345 Bookham</span></p>
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</div>
</body>
</html>
','The week
========
No. 1 · November 16, 2026
Read on the web: https://letters.example/editions/weekly/2026-W47/

------------------------------------------------------------------------

Eleventy''s ways
===============
Ada · November 13, 2026 · 1 min read
https://letters.example/2026/11/13/eleventy-ways/

All about eleven.

------------------------------------------------------------------------

Zola''s ways
===========
Grace · November 11, 2026 · 1 min read
https://letters.example/2026/11/11/zola-ways/

All about stars.

------------------------------------------------------------------------

You get this letter because @@publisher-address@@ subscribed to The
week.

Choose what you get: @@publisher-preferences@@
No more of this: @@publisher-unsubscribe@@
Follow the feed: https://letters.example/feed.xml

The week
1 Reading Room, 12345 Bookham
');
INSERT INTO "letters" VALUES(2,'','Pelican''s ways and 1 more','In short, pelicans.','<!DOCTYPE html>
<html lang="en" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<meta name="x-apple-disable-message-reformatting">
<title>Pelican''s ways and 1 more</title>
<!--[if mso]>
<xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml>
<style>
table {border-collapse: collapse}
td, th, p, li, a, dt, dd {font-family: "Segoe UI", Arial, sans-serif !important}
h1, h1 a, h2, h2 a, h3, h3 a {font-family: Georgia, serif !important}
pre, code {font-family: Consolas, monospace !important}
</style>
<![endif]-->
<style>
/* Kept as rules: under 16,384 characters, no at-rule inside another, or Gmail drops all of it.
   !important, because style attributes win otherwise. */

:root {color-scheme: light dark; supported-color-schemes: light dark}
a:hover {text-decoration: underline !important}

@media (max-width: 600px) {
.frame-cell {padding: 0 !important}
.sheet {border-radius: 0 !important}
.cell {padding-left: 20px !important; padding-right: 20px !important}
.lead-title {font-size: 26px !important}
.lead {padding-top: 22px !important; padding-bottom: 30px !important}
}

@media (prefers-color-scheme: dark) {
.page, .frame {background-color: #131211 !important}
.preheader {color: #131211 !important}
.sheet {background-color: #1d1b19 !important; color: #ebe7df !important}
.name-link, .title-link, .contents-link {color: #ebe7df !important}
.contents-link {text-decoration-color: #504e4a !important}
.masthead-issue, .line, .small, .small-link, .caption, .contents-title, .contents-list, .plain-name, .picture, .body h6, .body img {color: #a5a29c !important}
.more-link, .plain-link, .body a {color: #79c4ef !important}
.masthead, .divider, .footer, .body .notes, .body td {border-color: #383633 !important}
.body th, .body blockquote {border-color: #504e4a !important}
.body blockquote, .body .notes {color: #c6c2bb !important}
.body hr {background-color: #504e4a !important}
.body code, .body pre, .body kbd, .body .alert, .body a.media {background-color: #282624 !important; color: #ebe7df !important}
.body pre code {background-color: #282624 !important}
.body a.media {color: #79c4ef !important}
.body kbd {border-color: #504e4a !important}
.body mark {background-color: #6a5310 !important; color: #fff7df !important}
.c-word {color: #f0a57c !important}
.c-text {color: #9bd0a3 !important}
.c-note {color: #a5a29c !important}
.c-number {color: #9dbcff !important}
.c-name {color: #d0a6f2 !important}
.c-out {color: #ff9d92 !important}
}
</style>
</head>
<body class="page" style="margin:0; padding:0; width:100%; background-color:#f4f2ee; -webkit-text-size-adjust:100%; word-spacing:normal">
<div class="preheader personal" aria-hidden="true" style="display:none; max-height:0; max-width:0; overflow:hidden; opacity:0; font-size:1px; line-height:1px; color:#f4f2ee; mso-hide:all">In short, pelicans.͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ </div>
<div role="article" aria-label="Pelican''s ways and 1 more" lang="en" dir="ltr">
<table role="presentation" class="frame" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; background-color:#f4f2ee"><tr><td class="frame-cell" align="center" style="padding:28px 12px 40px 12px">
<!--[if mso]><table role="presentation" width="600" align="center" border="0" cellpadding="0" cellspacing="0"><tr><td><![endif]-->
<table role="presentation" class="sheet" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; max-width:600px; table-layout:fixed; background-color:#ffffff; color:#1f1d1a; border-radius:10px; font-family:-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif; font-size:17px; line-height:1.6; text-align:left">
<tr><td class="cell" style="word-wrap:break-word; overflow-wrap:break-word; padding:32px 32px 0 32px">
<table role="presentation" class="masthead" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; border-bottom:1px solid #e2e2e1"><tr>
<td style="padding:0"><h1 style="margin:0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold; letter-spacing:0"><a class="name-link" href="https://letters.example/" style="color:#1f1d1a; text-decoration:none">Long reads</a></h1></td>
</tr><tr>
<td class="masthead-issue" style="padding:2px 0 20px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto" style="white-space:nowrap">No. 1</span>  ·  <span dir="auto" style="white-space:nowrap">November 17, 2026</span></td>
</tr></table>

</td></tr>
<tr><td class="cell lead" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 36px 32px; text-align:left">
<h2 class="lead-title" style="margin:0 0 8px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:30px; line-height:1.2; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/12/pelican-ways/" style="text-decoration:none; color:#0a5a8a">Pelican''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 12, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>


<div class="body"><p style="margin:0 0 18px 0">All about pelicans.</p></div>

</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><div class="divider" style="height:1px; font-size:1px; line-height:1px; border-top:1px solid #e2e2e1"> </div></td></tr>
<tr><td class="cell" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 32px 32px; text-align:left">
<h2 class="lead-title" style="margin:0 0 8px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:30px; line-height:1.2; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/10/hugo-ways/" style="text-decoration:none; color:#0a5a8a">Hugo''s ways</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 10, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>


<div class="body"><p style="margin:0 0 18px 0">All about <strong>maps</strong>.</p>
<div style="margin:0 0 18px 0; overflow-x:auto"><table border="0" cellpadding="0" cellspacing="0" style="width:100%; border-collapse:collapse; font-size:15px; line-height:1.45">
<thead>
<tr>
<th scope="col" align="left" style="padding:8px 14px 8px 0; border-bottom:2px solid #c7c6c6; vertical-align:bottom; font-weight:bold">a</th>
<th scope="col" align="left" style="padding:8px 14px 8px 0; border-bottom:2px solid #c7c6c6; vertical-align:bottom; font-weight:bold">b</th>
</tr>
</thead>
<tbody>
<tr>
<td align="left" style="padding:8px 14px 8px 0; border-bottom:1px solid #e2e2e1; vertical-align:top">1</td>
<td align="left" style="padding:8px 14px 8px 0; border-bottom:1px solid #e2e2e1; vertical-align:top">2</td>
</tr>
</tbody>
</table></div></div>

</td></tr>
<tr><td class="cell footer" style="word-wrap:break-word; overflow-wrap:break-word; padding:24px 32px 32px 32px; border-top:1px solid #e2e2e1">
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">You get this letter because @@publisher-address@@ subscribed to Long reads.</p>
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="@@publisher-preferences@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Choose what you get</a>  ·  <a class="small-link" href="@@publisher-unsubscribe@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">No more of this</a>  ·  <a class="small-link" href="https://letters.example/editions/essays/2026-W47/" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Read on the web</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="https://letters.example/feed.xml" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Follow the feed</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">Long reads<br><span dir="auto">1 Reading Room, 12345 Bookham</span></p>
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</div>
</body>
</html>
','Long reads
==========
No. 1 · November 17, 2026
Read on the web: https://letters.example/editions/essays/2026-W47/

------------------------------------------------------------------------

Pelican''s ways
==============
Ada · November 12, 2026 · 1 min read
https://letters.example/2026/11/12/pelican-ways/

All about pelicans.

------------------------------------------------------------------------

Hugo''s ways
===========
Ada · November 10, 2026 · 1 min read
https://letters.example/2026/11/10/hugo-ways/

All about maps.

a  b
-  -
1  2

------------------------------------------------------------------------

You get this letter because @@publisher-address@@ subscribed to Long
reads.

Choose what you get: @@publisher-preferences@@
No more of this: @@publisher-unsubscribe@@
Follow the feed: https://letters.example/feed.xml

Long reads
1 Reading Room, 12345 Bookham
');
INSERT INTO "letters" VALUES(3,'','A word before','All about the second week.','<!DOCTYPE html>
<html lang="en" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<meta name="x-apple-disable-message-reformatting">
<title>A word before</title>
<!--[if mso]>
<xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml>
<style>
table {border-collapse: collapse}
td, th, p, li, a, dt, dd {font-family: "Segoe UI", Arial, sans-serif !important}
h1, h1 a, h2, h2 a, h3, h3 a {font-family: Georgia, serif !important}
pre, code {font-family: Consolas, monospace !important}
</style>
<![endif]-->
<style>
/* Kept as rules: under 16,384 characters, no at-rule inside another, or Gmail drops all of it.
   !important, because style attributes win otherwise. */

:root {color-scheme: light dark; supported-color-schemes: light dark}
a:hover {text-decoration: underline !important}

@media (max-width: 600px) {
.frame-cell {padding: 0 !important}
.sheet {border-radius: 0 !important}
.cell {padding-left: 20px !important; padding-right: 20px !important}
.lead-title {font-size: 26px !important}
.lead {padding-top: 22px !important; padding-bottom: 30px !important}
}

@media (prefers-color-scheme: dark) {
.page, .frame {background-color: #131211 !important}
.preheader {color: #131211 !important}
.sheet {background-color: #1d1b19 !important; color: #ebe7df !important}
.name-link, .title-link, .contents-link {color: #ebe7df !important}
.contents-link {text-decoration-color: #504e4a !important}
.masthead-issue, .line, .small, .small-link, .caption, .contents-title, .contents-list, .plain-name, .picture, .body h6, .body img {color: #a5a29c !important}
.more-link, .plain-link, .body a {color: #79c4ef !important}
.masthead, .divider, .footer, .body .notes, .body td {border-color: #383633 !important}
.body th, .body blockquote {border-color: #504e4a !important}
.body blockquote, .body .notes {color: #c6c2bb !important}
.body hr {background-color: #504e4a !important}
.body code, .body pre, .body kbd, .body .alert, .body a.media {background-color: #282624 !important; color: #ebe7df !important}
.body pre code {background-color: #282624 !important}
.body a.media {color: #79c4ef !important}
.body kbd {border-color: #504e4a !important}
.body mark {background-color: #6a5310 !important; color: #fff7df !important}
.c-word {color: #f0a57c !important}
.c-text {color: #9bd0a3 !important}
.c-note {color: #a5a29c !important}
.c-number {color: #9dbcff !important}
.c-name {color: #d0a6f2 !important}
.c-out {color: #ff9d92 !important}
}
</style>
</head>
<body class="page" style="margin:0; padding:0; width:100%; background-color:#f4f2ee; -webkit-text-size-adjust:100%; word-spacing:normal">
<div class="preheader personal" aria-hidden="true" style="display:none; max-height:0; max-width:0; overflow:hidden; opacity:0; font-size:1px; line-height:1px; color:#f4f2ee; mso-hide:all">All about the second week.͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ </div>
<div role="article" aria-label="A word before" lang="en" dir="ltr">
<table role="presentation" class="frame" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; background-color:#f4f2ee"><tr><td class="frame-cell" align="center" style="padding:28px 12px 40px 12px">
<!--[if mso]><table role="presentation" width="600" align="center" border="0" cellpadding="0" cellspacing="0"><tr><td><![endif]-->
<table role="presentation" class="sheet" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; max-width:600px; table-layout:fixed; background-color:#ffffff; color:#1f1d1a; border-radius:10px; font-family:-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif; font-size:17px; line-height:1.6; text-align:left">
<tr><td class="cell" style="word-wrap:break-word; overflow-wrap:break-word; padding:32px 32px 0 32px">
<table role="presentation" class="masthead" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; border-bottom:1px solid #e2e2e1"><tr>
<td style="padding:0"><h1 style="margin:0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold; letter-spacing:0"><a class="name-link" href="https://letters.example/" style="color:#1f1d1a; text-decoration:none">The week</a></h1></td>
</tr><tr>
<td class="masthead-issue" style="padding:2px 0 20px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto" style="white-space:nowrap">No. 2</span>  ·  <span dir="auto" style="white-space:nowrap">November 23, 2026</span></td>
</tr></table>

</td></tr>
<tr><td class="cell" style="padding:0 32px 0 32px; word-wrap:break-word; overflow-wrap:break-word"><p style="text-transform:lowercase">Hello @@publisher-name@@, from an old template.</p></td></tr>
<tr><td class="cell" style="word-wrap:break-word; overflow-wrap:break-word; padding:24px 32px 0 32px"><div class="body"><p style="margin:0 0 18px 0">Welcome <em>back</em>.</p></div></td></tr>

<tr><td class="cell lead" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 36px 32px; text-align:left">

<h2 class="lead-title" style="margin:0 0 8px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:30px; line-height:1.2; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/18/second-week/" style="text-decoration:none; color:#0a5a8a">The second week</a></h2>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 18, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>

<p style="margin:0 0 12px 0">All about the second week.</p>
<p lang="en" dir="ltr" style="margin:0; font-size:16px; line-height:1.5"><a class="more-link" href="https://letters.example/2026/11/18/second-week/" aria-label="Continue reading: The second week" style="color:#0a5a8a; font-weight:600; text-decoration:none; white-space:nowrap">Continue reading →</a></p>


</td></tr>
<tr><td class="cell footer" style="word-wrap:break-word; overflow-wrap:break-word; padding:24px 32px 32px 32px; border-top:1px solid #e2e2e1">
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">You get this letter because @@publisher-address@@ subscribed to The week.</p>
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="@@publisher-preferences@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Choose what you get</a>  ·  <a class="small-link" href="@@publisher-unsubscribe@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">No more of this</a>  ·  <a class="small-link" href="https://letters.example/editions/weekly/2026-W48/" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Read on the web</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="https://letters.example/feed.xml" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Follow the feed</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">The week<br><span dir="auto">1 Reading Room, 12345 Bookham</span></p>
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</div>
</body>
</html>
','The week
========
No. 2 · November 23, 2026
Read on the web: https://letters.example/editions/weekly/2026-W48/

Welcome back.

------------------------------------------------------------------------

The second week
===============
Ada · November 18, 2026 · 1 min read
https://letters.example/2026/11/18/second-week/

All about the second week.

------------------------------------------------------------------------

You get this letter because @@publisher-address@@ subscribed to The
week.

Choose what you get: @@publisher-preferences@@
No more of this: @@publisher-unsubscribe@@
Follow the feed: https://letters.example/feed.xml

The week
1 Reading Room, 12345 Bookham
');
INSERT INTO "letters" VALUES(4,'','The second week','All about the second week.','<!DOCTYPE html>
<html lang="en" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<meta name="x-apple-disable-message-reformatting">
<title>The second week</title>
<!--[if mso]>
<xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml>
<style>
table {border-collapse: collapse}
td, th, p, li, a, dt, dd {font-family: "Segoe UI", Arial, sans-serif !important}
h1, h1 a, h2, h2 a, h3, h3 a {font-family: Georgia, serif !important}
pre, code {font-family: Consolas, monospace !important}
</style>
<![endif]-->
<style>
/* Kept as rules: under 16,384 characters, no at-rule inside another, or Gmail drops all of it.
   !important, because style attributes win otherwise. */

:root {color-scheme: light dark; supported-color-schemes: light dark}
a:hover {text-decoration: underline !important}

@media (max-width: 600px) {
.frame-cell {padding: 0 !important}
.sheet {border-radius: 0 !important}
.cell {padding-left: 20px !important; padding-right: 20px !important}
.lead-title {font-size: 26px !important}
.lead {padding-top: 22px !important; padding-bottom: 30px !important}
}

@media (prefers-color-scheme: dark) {
.page, .frame {background-color: #131211 !important}
.preheader {color: #131211 !important}
.sheet {background-color: #1d1b19 !important; color: #ebe7df !important}
.name-link, .title-link, .contents-link {color: #ebe7df !important}
.contents-link {text-decoration-color: #504e4a !important}
.masthead-issue, .line, .small, .small-link, .caption, .contents-title, .contents-list, .plain-name, .picture, .body h6, .body img {color: #a5a29c !important}
.more-link, .plain-link, .body a {color: #79c4ef !important}
.masthead, .divider, .footer, .body .notes, .body td {border-color: #383633 !important}
.body th, .body blockquote {border-color: #504e4a !important}
.body blockquote, .body .notes {color: #c6c2bb !important}
.body hr {background-color: #504e4a !important}
.body code, .body pre, .body kbd, .body .alert, .body a.media {background-color: #282624 !important; color: #ebe7df !important}
.body pre code {background-color: #282624 !important}
.body a.media {color: #79c4ef !important}
.body kbd {border-color: #504e4a !important}
.body mark {background-color: #6a5310 !important; color: #fff7df !important}
.c-word {color: #f0a57c !important}
.c-text {color: #9bd0a3 !important}
.c-note {color: #a5a29c !important}
.c-number {color: #9dbcff !important}
.c-name {color: #d0a6f2 !important}
.c-out {color: #ff9d92 !important}
}
</style>
</head>
<body class="page" style="margin:0; padding:0; width:100%; background-color:#f4f2ee; -webkit-text-size-adjust:100%; word-spacing:normal">
<div class="preheader personal" aria-hidden="true" style="display:none; max-height:0; max-width:0; overflow:hidden; opacity:0; font-size:1px; line-height:1px; color:#f4f2ee; mso-hide:all">All about the second week.͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ ͏‌ </div>
<div role="article" aria-label="The second week" lang="en" dir="ltr">
<table role="presentation" class="frame" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; background-color:#f4f2ee"><tr><td class="frame-cell" align="center" style="padding:28px 12px 40px 12px">
<!--[if mso]><table role="presentation" width="600" align="center" border="0" cellpadding="0" cellspacing="0"><tr><td><![endif]-->
<table role="presentation" class="sheet" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; max-width:600px; table-layout:fixed; background-color:#ffffff; color:#1f1d1a; border-radius:10px; font-family:-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif; font-size:17px; line-height:1.6; text-align:left">
<tr><td class="cell" style="word-wrap:break-word; overflow-wrap:break-word; padding:32px 32px 0 32px">
<table role="presentation" class="masthead" width="100%" border="0" cellpadding="0" cellspacing="0" style="width:100%; border-bottom:1px solid #e2e2e1"><tr>
<td style="padding:0"><p style="margin:0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:22px; line-height:1.3; font-weight:bold; letter-spacing:0"><a class="name-link" href="https://letters.example/" style="color:#1f1d1a; text-decoration:none">Long reads</a></p></td>
</tr><tr>
<td class="masthead-issue" style="padding:2px 0 20px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto" style="white-space:nowrap">No. 2</span>  ·  <span dir="auto" style="white-space:nowrap">November 24, 2026</span></td>
</tr></table>

</td></tr>
<tr><td class="cell lead" lang="en" dir="ltr" style="word-wrap:break-word; overflow-wrap:break-word; padding:28px 32px 36px 32px; text-align:left">
<h1 class="lead-title" style="margin:0 0 8px 0; font-family:Charter, Iowan Old Style, Georgia, Cambria, serif; font-size:30px; line-height:1.2; font-weight:bold"><a class="title-link" href="https://letters.example/2026/11/18/second-week/" style="text-decoration:none; color:#0a5a8a">The second week</a></h1>
<p class="line" lang="en" dir="ltr" style="margin:0 0 14px 0; font-size:14px; line-height:1.5; color:#6b6a68"><span dir="auto">Ada</span>  ·  <span dir="auto" style="white-space:nowrap">November 18, 2026</span>  ·  <span dir="auto" style="white-space:nowrap">1 min read</span></p>


<div class="body"><p style="margin:0 0 18px 0">All about the second week.</p></div>

</td></tr>
<tr><td class="cell footer" style="word-wrap:break-word; overflow-wrap:break-word; padding:24px 32px 32px 32px; border-top:1px solid #e2e2e1">
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">You get this letter because @@publisher-address@@ subscribed to Long reads.</p>
<p class="small personal" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="@@publisher-preferences@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Choose what you get</a>  ·  <a class="small-link" href="@@publisher-unsubscribe@@" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">No more of this</a>  ·  <a class="small-link" href="https://letters.example/editions/essays/2026-W48/" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Read on the web</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68"><a class="small-link" href="https://letters.example/feed.xml" style="color:#6b6a68; text-decoration:underline; white-space:nowrap">Follow the feed</a></p>
<p class="small" style="margin:0 0 10px 0; font-size:14px; line-height:1.6; color:#6b6a68">Long reads<br><span dir="auto">1 Reading Room, 12345 Bookham</span></p>
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</div>
</body>
</html>
','Long reads
==========
No. 2 · November 24, 2026
Read on the web: https://letters.example/editions/essays/2026-W48/

------------------------------------------------------------------------

The second week
===============
Ada · November 18, 2026 · 1 min read
https://letters.example/2026/11/18/second-week/

All about the second week.

------------------------------------------------------------------------

You get this letter because @@publisher-address@@ subscribed to Long
reads.

Choose what you get: @@publisher-preferences@@
No more of this: @@publisher-unsubscribe@@
Follow the feed: https://letters.example/feed.xml

Long reads
1 Reading Room, 12345 Bookham
');
CREATE TABLE newsletter_posts (
	newsletter VARCHAR(100) NOT NULL, 
	post_id TEXT NOT NULL, 
	edition_id INTEGER, 
	CONSTRAINT pk_newsletter_posts PRIMARY KEY (newsletter, post_id), 
	CONSTRAINT fk_newsletter_posts_edition_id FOREIGN KEY(edition_id) REFERENCES editions (id)
);
INSERT INTO "newsletter_posts" VALUES('weekly','tag:letters.example,2024:2026-11-09:jekyll-ways',1);
INSERT INTO "newsletter_posts" VALUES('weekly','tag:letters.example,2024:2026-11-10:hugo-ways',1);
INSERT INTO "newsletter_posts" VALUES('weekly','tag:letters.example,2024:2026-11-11:zola-ways',1);
INSERT INTO "newsletter_posts" VALUES('weekly','tag:letters.example,2024:2026-11-12:pelican-ways',1);
INSERT INTO "newsletter_posts" VALUES('weekly','tag:letters.example,2024:2026-11-13:eleventy-ways',1);
INSERT INTO "newsletter_posts" VALUES('essays','tag:letters.example,2024:2026-11-10:hugo-ways',2);
INSERT INTO "newsletter_posts" VALUES('essays','tag:letters.example,2024:2026-11-12:pelican-ways',2);
INSERT INTO "newsletter_posts" VALUES('essays','tag:letters.example,2024:2026-11-09:jekyll-ways',NULL);
INSERT INTO "newsletter_posts" VALUES('essays','tag:letters.example,2024:2026-11-11:zola-ways',NULL);
INSERT INTO "newsletter_posts" VALUES('essays','tag:letters.example,2024:2026-11-13:eleventy-ways',NULL);
INSERT INTO "newsletter_posts" VALUES('weekly','tag:letters.example,2024:2026-11-18:second-week',3);
INSERT INTO "newsletter_posts" VALUES('essays','tag:letters.example,2024:2026-11-18:second-week',4);
CREATE TABLE newsletters (
	name VARCHAR(100) NOT NULL, 
	rule TEXT NOT NULL, 
	since DATETIME NOT NULL, 
	passed DATETIME, 
	CONSTRAINT pk_newsletters PRIMARY KEY (name)
);
INSERT INTO "newsletters" VALUES('weekly','weekly monday 08:00 | Europe/Berlin','2026-11-16 12:00:00.000000','2026-11-23 07:00:00.000000');
INSERT INTO "newsletters" VALUES('essays','weekly tuesday 08:00 | Europe/Berlin','2026-11-16 12:00:00.000000',NULL);
CREATE TABLE owner (
	id INTEGER NOT NULL, 
	password_hash TEXT NOT NULL, 
	set_at DATETIME NOT NULL, 
	CONSTRAINT pk_owner PRIMARY KEY (id)
);
CREATE TABLE reports (
	key_hash VARCHAR(64) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_reports PRIMARY KEY (key_hash)
);
ANALYZE "sqlite_master";
INSERT INTO "sqlite_stat1" VALUES('told','sqlite_autoindex_told_1','2 1 1');
INSERT INTO "sqlite_stat1" VALUES('newsletter_posts','sqlite_autoindex_newsletter_posts_1','10 5 1');
INSERT INTO "sqlite_stat1" VALUES('subscriptions','ix_subscriptions_newsletter_subscriber_id','7 4 1');
INSERT INTO "sqlite_stat1" VALUES('subscriptions','sqlite_autoindex_subscriptions_1','7 2 1');
INSERT INTO "sqlite_stat1" VALUES('subscribers','sqlite_autoindex_subscribers_2','7 1');
INSERT INTO "sqlite_stat1" VALUES('subscribers','sqlite_autoindex_subscribers_1','7 1');
INSERT INTO "sqlite_stat1" VALUES('editions','sqlite_autoindex_editions_1','2 1 1');
INSERT INTO "sqlite_stat1" VALUES('edition_posts','sqlite_autoindex_edition_posts_1','7 4 1');
INSERT INTO "sqlite_stat1" VALUES('deliveries','ix_deliveries_due','6 2 2 1');
INSERT INTO "sqlite_stat1" VALUES('deliveries','ix_deliveries_status','9 3 3');
INSERT INTO "sqlite_stat1" VALUES('deliveries','sqlite_autoindex_deliveries_1','9 3 1');
CREATE TABLE subscribers (
	id INTEGER NOT NULL, 
	uid VARCHAR(40) NOT NULL, 
	address VARCHAR(320) NOT NULL, 
	address_key VARCHAR(640) NOT NULL, 
	name TEXT NOT NULL, 
	language VARCHAR(40) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	created_at DATETIME NOT NULL, paused_until DATETIME, asked_at DATETIME, confirmed_at DATETIME, bounced_at DATETIME, bounces INTEGER DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_subscribers PRIMARY KEY (id), 
	CONSTRAINT uq_subscribers_uid UNIQUE (uid), 
	CONSTRAINT uq_subscribers_address_key UNIQUE (address_key)
);
INSERT INTO "subscribers" VALUES(1,'024ea2c3dfd69d5e005db932','ada@example.org','ada@example.org','Ada Lovelace','','active','2026-11-01 09:00:00.000000',NULL,NULL,'2026-11-01 09:00:00.000000',NULL,0);
INSERT INTO "subscribers" VALUES(2,'94d49abdab73d4eae03f0828','bob@example.org','bob@example.org','','','active','2026-11-01 10:00:00.000000',NULL,NULL,'2026-11-01 10:00:00.000000',NULL,0);
INSERT INTO "subscribers" VALUES(3,'975f46c920a05df9c9d26c11','cleo@example.org','cleo@example.org','','','active','2026-11-01 11:00:00.000000',NULL,NULL,'2026-11-01 11:00:00.000000',NULL,0);
INSERT INTO "subscribers" VALUES(4,'00d1818012a8b3192160722c','dan@example.org','dan@example.org','','','unsubscribed','2026-11-01 11:00:00.000000',NULL,NULL,'2026-11-01 11:00:00.000000',NULL,0);
INSERT INTO "subscribers" VALUES(5,'8b34c601cd12c6ca873bde4b','eve@example.org','eve@example.org','','','suppressed','2026-11-01 11:00:00.000000',NULL,NULL,'2026-11-01 11:00:00.000000',NULL,0);
INSERT INTO "subscribers" VALUES(6,'7ef1fefe677ba67353029e44','fay@example.org','fay@example.org','Fay','de','active','2026-11-02 09:00:00.000000',NULL,'2026-11-02 09:00:00.000000','2026-11-02 10:00:00.000000',NULL,0);
INSERT INTO "subscribers" VALUES(7,'12ecfd6f9c68729ba27187ad','gus@example.org','gus@example.org','','','pending','2026-11-15 09:00:00.000000',NULL,'2026-11-15 09:00:00.000000',NULL,NULL,0);
CREATE TABLE subscriptions (
	subscriber_id INTEGER NOT NULL, 
	newsletter VARCHAR(100) NOT NULL, 
	topics TEXT NOT NULL, 
	CONSTRAINT pk_subscriptions PRIMARY KEY (subscriber_id, newsletter), 
	CONSTRAINT fk_subscriptions_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id)
);
INSERT INTO "subscriptions" VALUES(1,'essays','[]');
INSERT INTO "subscriptions" VALUES(1,'weekly','[]');
INSERT INTO "subscriptions" VALUES(2,'weekly','["birds"]');
INSERT INTO "subscriptions" VALUES(3,'essays','[]');
INSERT INTO "subscriptions" VALUES(4,'weekly','[]');
INSERT INTO "subscriptions" VALUES(5,'weekly','[]');
INSERT INTO "subscriptions" VALUES(6,'weekly','["stars"]');
CREATE TABLE suppressions (
	address_hash VARCHAR(64) NOT NULL, 
	reason VARCHAR(20) NOT NULL, 
	at DATETIME NOT NULL, 
	source TEXT NOT NULL, key_id VARCHAR(16), 
	CONSTRAINT pk_suppressions PRIMARY KEY (address_hash)
);
INSERT INTO "suppressions" VALUES('dee3fcacc7518021faea5e1780f73ba9017aac7dd31b12d481a91f553dccb042','suppressed','2026-11-05 09:00:00.000000','command line','7934753f4f089823');
INSERT INTO "suppressions" VALUES('8fad280267981283f2d61e52e617dfedf86dab56c7213873db4534f56e488e7a','suppressed','2026-11-05 09:00:00.000000','command line','7934753f4f089823');
INSERT INTO "suppressions" VALUES('0026697bca42bf7ad39a51b89ac76b8457731cf308870cf768100c6afab40bfc','erased','2026-11-05 09:00:00.000000','command line','7934753f4f089823');
CREATE TABLE tokens (
	token_hash VARCHAR(64) NOT NULL, 
	purpose VARCHAR(20) NOT NULL, 
	subscriber_id INTEGER NOT NULL, 
	made_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	used_at DATETIME, 
	wish TEXT NOT NULL, 
	address_key VARCHAR(640) NOT NULL, 
	CONSTRAINT pk_tokens PRIMARY KEY (token_hash), 
	CONSTRAINT fk_tokens_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id)
);
INSERT INTO "tokens" VALUES('05fbdd4329e3a3b9f2834c8b739d265fd2e699247fec4480b66c816091b9fd5e','confirm',7,'2026-11-15 09:00:00.000000','2026-11-22 09:00:00.000000',NULL,'{"subscriptions": [["weekly", []]], "mailed": ["weekly"]}','');
CREATE TABLE told (
	kind VARCHAR(20) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_told PRIMARY KEY (kind, digest)
);
INSERT INTO "told" VALUES('held','fc2a88455ed773e5820c6d52aea0c01f4e03b433136a16f0f3567d736178df85','2026-11-16 12:00:00.000000');
INSERT INTO "told" VALUES('post','565948f6bb0bafac049bc869184d4c196be96c41efc1ec359e146504aa6d1243','2026-11-23 07:00:10.000000');
INSERT INTO "told" VALUES('held','b7fe14d704b0580ceb3c0c6c9c8649dc6c22a60d010039347284d302ce55bf6d','2026-11-23 07:00:10.000000');
CREATE INDEX ix_subscriptions_newsletter_subscriber_id ON subscriptions (newsletter, subscriber_id);
CREATE INDEX ix_consent_events_subscriber_id ON consent_events (subscriber_id);
CREATE INDEX ix_deliveries_status ON deliveries (edition_id, status);
CREATE INDEX ix_deliveries_due ON deliveries (edition_id, next_try_at, id) WHERE next_try_at IS NOT NULL;
CREATE INDEX ix_deliveries_leased ON deliveries (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX ix_tokens_subscriber_id ON tokens (subscriber_id);
CREATE INDEX ix_tokens_address_key ON tokens (address_key);
CREATE INDEX ix_bounces_subscriber_id ON bounces (subscriber_id);
CREATE INDEX ix_bounces_edition_id ON bounces (edition_id);
COMMIT;
PRAGMA user_version = 0;
