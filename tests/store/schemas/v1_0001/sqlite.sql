BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v1_0001');
CREATE TABLE applications (
	id VARCHAR(24) NOT NULL, 
	cluster VARCHAR(63) NOT NULL, 
	namespace VARCHAR(63) NOT NULL, 
	name VARCHAR(253) NOT NULL, 
	alias TEXT NOT NULL, 
	version TEXT NOT NULL, 
	project TEXT NOT NULL, 
	description TEXT NOT NULL, 
	icon TEXT NOT NULL, 
	tmp_enable BOOLEAN NOT NULL, 
	config_key TEXT, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	CONSTRAINT pk_applications PRIMARY KEY (id), 
	CONSTRAINT uq_applications_cluster_namespace_name UNIQUE (cluster, namespace, name)
);
INSERT INTO "applications" VALUES('shop....................','default','default','shop','Läden 🛒','','','','',0,NULL,1796079386.061,1796079386.061);
INSERT INTO "applications" VALUES('other...................','default','default','other','Läden 🛒','','','','',0,NULL,1796079386.184,1796079386.184);
INSERT INTO "applications" VALUES('third...................','default','default','third','Läden 🛒','','','','',0,NULL,1796079386.219,1796079386.219);
CREATE TABLE audit (
	seq BIGINT NOT NULL, 
	at DOUBLE NOT NULL, 
	caller VARCHAR(255) NOT NULL, 
	authenticated VARCHAR(64) NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	method VARCHAR(16) NOT NULL, 
	operation VARCHAR(64) NOT NULL, 
	target VARCHAR(512) NOT NULL, 
	cluster VARCHAR(63) NOT NULL, 
	app_id VARCHAR(24) NOT NULL, 
	task_id VARCHAR(24) NOT NULL, 
	status INTEGER NOT NULL, 
	code INTEGER NOT NULL, 
	request_id VARCHAR(64) NOT NULL, 
	key_id VARCHAR(16) NOT NULL, 
	previous VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (seq)
);
CREATE TABLE audit_heads (
	id INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_audit_heads PRIMARY KEY (id)
);
CREATE TABLE cluster_workers (
	cluster VARCHAR(63) NOT NULL, 
	worker VARCHAR(255) NOT NULL, 
	version VARCHAR(255) NOT NULL, 
	away TEXT NOT NULL, 
	seen_at DOUBLE NOT NULL, 
	CONSTRAINT pk_cluster_workers PRIMARY KEY (cluster, worker)
);
CREATE TABLE components (
	app_id VARCHAR(24) NOT NULL, 
	name VARCHAR(63) NOT NULL, 
	position INTEGER NOT NULL, 
	spec TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	CONSTRAINT pk_components PRIMARY KEY (app_id, name), 
	CONSTRAINT fk_components_app_id FOREIGN KEY(app_id) REFERENCES applications (id) ON DELETE CASCADE
);
INSERT INTO "components" VALUES('shop....................','web',0,'{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}',1796079386.092,1796079386.092);
INSERT INTO "components" VALUES('other...................','web',0,'{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}',1796079386.186,1796079386.186);
INSERT INTO "components" VALUES('third...................','web',0,'{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}',1796079386.219,1796079386.219);
CREATE TABLE deliveries (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	seq INTEGER NOT NULL, 
	target VARCHAR(63) NOT NULL, 
	app_id VARCHAR(24) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempts INTEGER NOT NULL, 
	tries INTEGER NOT NULL, 
	http_status INTEGER, 
	error TEXT NOT NULL, 
	next_at DOUBLE, 
	created_at DOUBLE NOT NULL, 
	tried_at DOUBLE, 
	CONSTRAINT fk_deliveries_seq FOREIGN KEY(seq) REFERENCES outbox (seq) ON DELETE CASCADE, 
	CONSTRAINT uq_deliveries_seq_target UNIQUE (seq, target)
);
INSERT INTO "deliveries" VALUES(1,1,'ops','shop....................','waiting',0,0,NULL,'',1796079386.671,1796079386.671,NULL);
INSERT INTO "deliveries" VALUES(2,2,'ops','other...................','waiting',0,0,NULL,'',1796079386.671,1796079386.671,NULL);
CREATE TABLE drifts (
	app_id VARCHAR(24) NOT NULL, 
	revision INTEGER NOT NULL, 
	since DOUBLE NOT NULL, 
	CONSTRAINT pk_drifts PRIMARY KEY (app_id), 
	CONSTRAINT fk_drifts_app_id FOREIGN KEY(app_id) REFERENCES applications (id) ON DELETE CASCADE
);
INSERT INTO "drifts" VALUES('third...................',1,1796079386.677);
CREATE TABLE duties (
	name VARCHAR(80) NOT NULL, 
	owner VARCHAR(255) NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	CONSTRAINT pk_duties PRIMARY KEY (name)
);
INSERT INTO "duties" VALUES('notifications','',1796165785.776);
CREATE TABLE events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	task_id VARCHAR(24) NOT NULL, 
	type VARCHAR(32) NOT NULL, 
	data TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	CONSTRAINT fk_events_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO "events" VALUES(1,'shop-1..................','task','{"status":"running"}',1796079386.398);
INSERT INTO "events" VALUES(2,'other-1.................','task','{"status":"running"}',1796079386.629);
INSERT INTO "events" VALUES(3,'third-1.................','task','{"status":"running"}',1796079386.653);
CREATE TABLE evidence (
	task_id VARCHAR(24) NOT NULL, 
	component VARCHAR(63) NOT NULL, 
	pods TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	CONSTRAINT pk_evidence PRIMARY KEY (task_id, component), 
	CONSTRAINT fk_evidence_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
CREATE TABLE jobs (
	task_id VARCHAR(24) NOT NULL, 
	seq INTEGER NOT NULL, 
	stage INTEGER NOT NULL, 
	step TEXT NOT NULL, 
	name TEXT NOT NULL, 
	component VARCHAR(63) NOT NULL, 
	component_type VARCHAR(32) NOT NULL, 
	kind VARCHAR(317) NOT NULL, 
	namespace VARCHAR(63) NOT NULL, 
	object_name VARCHAR(253) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	info TEXT NOT NULL, 
	error TEXT NOT NULL, 
	reason_code VARCHAR(32), 
	started_at DOUBLE, 
	ended_at DOUBLE, 
	CONSTRAINT pk_jobs PRIMARY KEY (task_id, seq), 
	CONSTRAINT fk_jobs_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO "jobs" VALUES('shop-1..................',1,0,'step','web/ConfigMap/shop','web','webservice','ConfigMap','default','shop','queued','','',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('other-1.................',1,0,'step','web/ConfigMap/other','web','webservice','ConfigMap','default','other','queued','','',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('third-1.................',1,0,'step','web/ConfigMap/third','web','webservice','ConfigMap','default','third','queued','','',NULL,NULL,NULL);
CREATE TABLE kinds (
	cluster VARCHAR(63) NOT NULL, 
	name VARCHAR(317) NOT NULL, 
	CONSTRAINT pk_kinds PRIMARY KEY (cluster, name)
);
CREATE TABLE one_time (
	hash VARCHAR(64) NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	CONSTRAINT pk_one_time PRIMARY KEY (hash)
);
INSERT INTO "one_time" VALUES('5555555555555555555555555555555555555555555555555555555555555555',1796082986.059);
CREATE TABLE outbox (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(24) NOT NULL, 
	type VARCHAR(32) NOT NULL, 
	app_id VARCHAR(24) NOT NULL, 
	task_id VARCHAR(24), 
	data TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	taken_at DOUBLE, 
	CONSTRAINT uq_outbox_id UNIQUE (id)
);
INSERT INTO "outbox" VALUES(1,'6ksk6huyyv3ec1qctqgb4xu5','task.completed','shop....................','shop-1..................','{"taskId":"shop-1..................","appId":"shop....................","cluster":"default","namespace":"default","name":"shop","project":"","kind":"deploy","revision":1,"status":"completed","reason":"","reasonCode":null,"cleanup":"none","remaining":"","user":"ada","cancelledBy":null,"commit":null}',1796079386.509,1796079386.671);
INSERT INTO "outbox" VALUES(2,'2iwm2gxygdk5e5bjw0pxcvz7','task.cancelled','other...................','other-1.................','{"taskId":"other-1.................","appId":"other...................","cluster":"default","namespace":"default","name":"other","project":"","kind":"deploy","revision":1,"status":"cancelled","reason":"wrong version","reasonCode":null,"cleanup":"pending","remaining":"","user":"ada","cancelledBy":"ada","commit":null}',1796079386.651,1796079386.671);
CREATE TABLE resources (
	task_id VARCHAR(24) NOT NULL, 
	seq INTEGER NOT NULL, 
	job_seq INTEGER NOT NULL, 
	api_version VARCHAR(253) NOT NULL, 
	kind VARCHAR(317) NOT NULL, 
	namespace VARCHAR(63) NOT NULL, 
	name VARCHAR(253) NOT NULL, 
	purpose VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	uid VARCHAR(64), 
	"before" TEXT, 
	applied TEXT, 
	dependents TEXT, 
	why TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	adopted BOOLEAN, 
	made_at VARCHAR(32), 
	priority INTEGER, 
	holder VARCHAR(24), 
	CONSTRAINT pk_resources PRIMARY KEY (task_id, seq), 
	CONSTRAINT fk_resources_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
INSERT INTO "resources" VALUES('shop-1..................',1,1,'v1','ConfigMap','default','shop','apply','created','uid-shop',NULL,NULL,NULL,'',1796079386.374,1796079386.397,NULL,NULL,NULL,'shop....................');
INSERT INTO "resources" VALUES('other-1.................',1,1,'v1','ConfigMap','default','other','apply','created','uid-other',NULL,NULL,NULL,'',1796079386.613,1796079386.629,NULL,NULL,NULL,'other...................');
INSERT INTO "resources" VALUES('third-1.................',1,1,'v1','ConfigMap','default','third','apply','created','uid-third',NULL,NULL,NULL,'',1796079386.652,1796079386.652,NULL,NULL,NULL,'third...................');
CREATE TABLE revisions (
	app_id VARCHAR(24) NOT NULL, 
	number INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	spec TEXT NOT NULL, 
	strategy VARCHAR(16) NOT NULL, 
	note TEXT NOT NULL, 
	caller VARCHAR(255) NOT NULL, 
	task_id VARCHAR(24) NOT NULL, 
	changes TEXT NOT NULL, 
	restarts TEXT NOT NULL, 
	config_digests TEXT NOT NULL, 
	replaces_draft BOOLEAN NOT NULL, 
	created_at DOUBLE NOT NULL, 
	CONSTRAINT pk_revisions PRIMARY KEY (app_id, number), 
	CONSTRAINT fk_revisions_app_id FOREIGN KEY(app_id) REFERENCES applications (id) ON DELETE CASCADE
);
INSERT INTO "revisions" VALUES('shop....................',1,'current','{"name":"shop","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}','rolling','why','ada','shop-1..................','{}','{}','{}',0,1796079386.112);
INSERT INTO "revisions" VALUES('shop....................',2,'pending','{"name":"shop","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}','rolling','why','ada','shop-2..................','{}','{}','{}',0,1796079386.159);
INSERT INTO "revisions" VALUES('other...................',1,'cancelled','{"name":"other","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}','rolling','why','ada','other-1.................','{}','{}','{}',0,1796079386.218);
INSERT INTO "revisions" VALUES('other...................',2,'pending','{"name":"other","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}','rolling','why','ada','other-2.................','{}','{}','{}',0,1796079386.219);
INSERT INTO "revisions" VALUES('third...................',1,'pending','{"name":"third","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}','rolling','why','ada','third-1.................','{}','{}','{}',0,1796079386.22);
INSERT INTO "revisions" VALUES('third...................',2,'pending','{"name":"third","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}','rolling','why','ada','third-2.................','{}','{}','{}',0,1796079386.22);
CREATE TABLE sealing_keys (
	id VARCHAR(32) NOT NULL, 
	proof TEXT NOT NULL, 
	complete BOOLEAN NOT NULL, 
	CONSTRAINT pk_sealing_keys PRIMARY KEY (id)
);
CREATE TABLE sessions (
	hash VARCHAR(64) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	groups TEXT NOT NULL, 
	token_id VARCHAR(16), 
	subject VARCHAR(64), 
	sid VARCHAR(64), 
	created_at DOUBLE NOT NULL, 
	used_at DOUBLE NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (hash), 
	CONSTRAINT fk_sessions_token_id FOREIGN KEY(token_id) REFERENCES tokens (id) ON DELETE CASCADE
);
INSERT INTO "sessions" VALUES('1111111111111111111111111111111111111111111111111111111111111111','ada','[]','abcdefghijkl',NULL,NULL,1796079386.002,1796079386.002,1796082986.002);
INSERT INTO "sessions" VALUES('2222222222222222222222222222222222222222222222222222222222222222','bea','[]',NULL,'3333333333333333333333333333333333333333333333333333333333333333','4444444444444444444444444444444444444444444444444444444444444444',1796079386.023,1796079386.023,1796082986.023);
CREATE TABLE shares (
	cluster VARCHAR(63) NOT NULL, 
	name VARCHAR(253) NOT NULL, 
	task_id VARCHAR(24) NOT NULL, 
	CONSTRAINT pk_shares PRIMARY KEY (cluster, name)
);
INSERT INTO "shares" VALUES('default','lock','shop-1..................');
CREATE TABLE tasks (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(24) NOT NULL, 
	app_id VARCHAR(24) NOT NULL, 
	app_name VARCHAR(253) NOT NULL, 
	cluster VARCHAR(63) NOT NULL, 
	namespace VARCHAR(63) NOT NULL, 
	project TEXT NOT NULL, 
	workflow_id VARCHAR(24) NOT NULL, 
	workflow_name VARCHAR(253) NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	reason_code VARCHAR(32), 
	cleanup VARCHAR(16) NOT NULL, 
	cleanup_why TEXT NOT NULL, 
	cleanup_attempts INTEGER NOT NULL, 
	next_cleanup_at DOUBLE, 
	cancelled_by TEXT, 
	cancel_request_id VARCHAR(64), 
	cancel_requested_at DOUBLE, 
	cancel_cleanup VARCHAR(16), 
	caller VARCHAR(255) NOT NULL, 
	acting_as TEXT, 
	idempotency_key VARCHAR(255), 
	body_hash TEXT, 
	request_id VARCHAR(64), 
	traceparent VARCHAR(55), 
	options TEXT NOT NULL, 
	spec TEXT NOT NULL, 
	"plan" TEXT, 
	revision INTEGER, 
	promoted_hold INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	active_app VARCHAR(24), 
	lease_owner VARCHAR(255), 
	lease_epoch INTEGER NOT NULL, 
	lease_commits BIGINT NOT NULL, 
	lease_expires_at DOUBLE, 
	claimed_at DOUBLE, 
	created_at DOUBLE NOT NULL, 
	started_at DOUBLE, 
	ended_at DOUBLE, 
	updated_at DOUBLE NOT NULL, 
	CONSTRAINT uq_tasks_id UNIQUE (id), 
	CONSTRAINT uq_tasks_active_app UNIQUE (active_app), 
	CONSTRAINT uq_tasks_caller_app_id_idempotency_key UNIQUE (caller, app_id, idempotency_key)
);
INSERT INTO "tasks" VALUES(1,'shop-1..................','shop....................','shop','default','default','','flow....................','flow','deploy','completed','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{"of":"shop-1"}','{"stages":[]}',1,0,1,NULL,NULL,1,4026338725385469952,NULL,1796079386.26,1796079386.136,1796079386.312,1796079386.445,1796079386.445);
INSERT INTO "tasks" VALUES(2,'shop-2..................','shop....................','shop','default','default','','flow....................','flow','deploy','waiting','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{"of":"shop-2"}','{"stages":[]}',2,0,0,NULL,NULL,0,0,NULL,NULL,1796079386.161,NULL,NULL,1796079386.161);
INSERT INTO "tasks" VALUES(3,'other-1.................','other...................','other','default','default','','flow....................','flow','deploy','cancelled','wrong version',NULL,'pending','',0,NULL,'ada',NULL,1796079386.634,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{"of":"other-1"}','{"stages":[]}',1,0,1,'other...................','worker',1,4282479304924725248,1796082986.594,1796079386.594,1796079386.219,1796079386.601,1796079386.634,1796079386.634);
INSERT INTO "tasks" VALUES(4,'other-2.................','other...................','other','default','default','','flow....................','flow','deploy','waiting','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{"of":"other-2"}','{"stages":[]}',2,0,0,NULL,NULL,0,0,NULL,NULL,1796079386.219,NULL,NULL,1796079386.219);
INSERT INTO "tasks" VALUES(5,'third-1.................','third...................','third','default','default','','flow....................','flow','deploy','running','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{"of":"third-1"}','{"stages":[]}',1,0,1,'third...................','worker',1,2767686584923848704,1796082986.652,1796079386.652,1796079386.22,1796079386.652,NULL,1796079386.652);
INSERT INTO "tasks" VALUES(6,'third-2.................','third...................','third','default','default','','flow....................','flow','deploy','waiting','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{"of":"third-2"}','{"stages":[]}',2,0,0,NULL,NULL,0,0,NULL,NULL,1796079386.22,NULL,NULL,1796079386.22);
CREATE TABLE tokens (
	id VARCHAR(16) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	owner VARCHAR(255) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	grants TEXT NOT NULL, 
	made_by VARCHAR(255) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	expires_at DOUBLE, 
	used_at DOUBLE, 
	revoked_at DOUBLE, 
	revoked_by VARCHAR(255), 
	CONSTRAINT pk_tokens PRIMARY KEY (id)
);
INSERT INTO "tokens" VALUES('abcdefghijkl','ci','ada','0000000000000000000000000000000000000000000000000000000000000000','[]','database',1796079385.777,NULL,NULL,NULL,NULL);
CREATE TABLE workflows (
	id VARCHAR(24) NOT NULL, 
	app_id VARCHAR(24) NOT NULL, 
	name VARCHAR(253) NOT NULL, 
	alias TEXT NOT NULL, 
	namespace VARCHAR(63) NOT NULL, 
	project TEXT NOT NULL, 
	description TEXT NOT NULL, 
	type VARCHAR(32) NOT NULL, 
	disabled BOOLEAN NOT NULL, 
	steps TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	CONSTRAINT pk_workflows PRIMARY KEY (id), 
	CONSTRAINT uq_workflows_app_id_name UNIQUE (app_id, name), 
	CONSTRAINT fk_workflows_app_id FOREIGN KEY(app_id) REFERENCES applications (id) ON DELETE CASCADE
);
INSERT INTO "workflows" VALUES('flow-shop...............','shop....................','deploy','','default','','','',0,'[]',1796079386.062,1796079386.062);
INSERT INTO "workflows" VALUES('flow-other..............','other...................','deploy','','default','','','',0,'[]',1796079386.185,1796079386.185);
INSERT INTO "workflows" VALUES('flow-third..............','third...................','deploy','','default','','','',0,'[]',1796079386.219,1796079386.219);
CREATE TABLE write_probes (
	id VARCHAR(24) NOT NULL, 
	filler TEXT NOT NULL, 
	CONSTRAINT pk_write_probes PRIMARY KEY (id)
);
CREATE TABLE writes (
	token VARCHAR(64) NOT NULL, 
	task_id VARCHAR(24) NOT NULL, 
	seq INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	base_version VARCHAR(64), 
	answer TEXT, 
	created_at DOUBLE NOT NULL, 
	answered_at DOUBLE, 
	job_seq INTEGER, 
	CONSTRAINT pk_writes PRIMARY KEY (token), 
	CONSTRAINT fk_writes_task_id_seq FOREIGN KEY(task_id, seq) REFERENCES resources (task_id, seq) ON DELETE CASCADE
);
INSERT INTO "writes" VALUES('shop-1...................1','shop-1..................',1,'create',NULL,NULL,1796079386.385,NULL,NULL);
INSERT INTO "writes" VALUES('other-1..................1','other-1.................',1,'create',NULL,NULL,1796079386.627,NULL,NULL);
INSERT INTO "writes" VALUES('third-1..................1','third-1.................',1,'create',NULL,NULL,1796079386.652,NULL,NULL);
CREATE INDEX ix_applications_updated_at_id ON applications (updated_at, id);
CREATE INDEX ix_applications_namespace_updated_at_id ON applications (namespace, updated_at, id);
CREATE INDEX ix_applications_name ON applications (name);
CREATE INDEX ix_tasks_status_app_id_seq_cluster ON tasks (status, app_id, seq, cluster);
CREATE INDEX ix_tasks_status_seq ON tasks (status, seq);
CREATE INDEX ix_tasks_cleanup_app_id ON tasks (cleanup, app_id);
CREATE INDEX ix_tasks_app_id_seq ON tasks (app_id, seq);
CREATE INDEX ix_tasks_workflow_id_seq ON tasks (workflow_id, seq);
CREATE INDEX ix_tasks_namespace_seq ON tasks (namespace, seq);
CREATE INDEX ix_tasks_lease_expires_at_cluster ON tasks (lease_expires_at, cluster);
CREATE INDEX ix_tasks_next_cleanup_at_cluster ON tasks (next_cleanup_at, cluster);
CREATE INDEX ix_resources_holder ON resources (holder);
CREATE INDEX ix_resources_uid_holder ON resources (uid, holder);
CREATE INDEX ix_writes_task_id_seq ON writes (task_id, seq);
CREATE INDEX ix_writes_base_version ON writes (base_version);
CREATE INDEX ix_events_task_id_id ON events (task_id, id);
CREATE INDEX ix_outbox_taken_at_seq ON outbox (taken_at, seq);
CREATE INDEX ix_deliveries_target_next_at ON deliveries (target, next_at);
CREATE INDEX ix_deliveries_target_app_id_next_at ON deliveries (target, app_id, next_at);
CREATE INDEX ix_deliveries_state_id ON deliveries (state, id);
CREATE INDEX ix_audit_at ON audit (at);
CREATE INDEX ix_audit_app_id_seq ON audit (app_id, seq);
CREATE INDEX ix_audit_task_id_seq ON audit (task_id, seq);
CREATE INDEX ix_audit_caller_seq ON audit (caller, seq);
CREATE INDEX ix_audit_request_id ON audit (request_id);
CREATE INDEX ix_audit_operation_seq ON audit (operation, seq);
CREATE INDEX ix_audit_cluster_seq ON audit (cluster, seq);
CREATE INDEX ix_tokens_owner ON tokens (owner);
CREATE INDEX ix_sessions_token_id ON sessions (token_id);
CREATE INDEX ix_sessions_subject ON sessions (subject);
CREATE INDEX ix_sessions_sid ON sessions (sid);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
CREATE INDEX ix_one_time_expires_at ON one_time (expires_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('tasks',6);
INSERT INTO "sqlite_sequence" VALUES('events',3);
INSERT INTO "sqlite_sequence" VALUES('outbox',2);
INSERT INTO "sqlite_sequence" VALUES('deliveries',2);
COMMIT;
