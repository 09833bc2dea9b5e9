CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.applications (
    id character varying(24) NOT NULL,
    cluster character varying(63) NOT NULL,
    namespace character varying(63) NOT NULL,
    name character varying(253) NOT NULL,
    alias text NOT NULL,
    version text NOT NULL,
    project text NOT NULL,
    description text NOT NULL,
    icon text NOT NULL,
    tmp_enable boolean NOT NULL,
    config_key text,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL
);
CREATE TABLE public.audit (
    seq bigint NOT NULL,
    at double precision NOT NULL,
    caller character varying(255) NOT NULL,
    authenticated character varying(64) NOT NULL,
    address character varying(64) NOT NULL,
    method character varying(16) NOT NULL,
    operation character varying(64) NOT NULL,
    target character varying(512) NOT NULL,
    cluster character varying(63) NOT NULL,
    app_id character varying(24) NOT NULL,
    task_id character varying(24) NOT NULL,
    status integer NOT NULL,
    code integer NOT NULL,
    request_id character varying(64) NOT NULL,
    key_id character varying(16) NOT NULL,
    previous character varying(64) NOT NULL,
    hash character varying(64) NOT NULL
);
CREATE TABLE public.audit_heads (
    id integer NOT NULL,
    seq bigint NOT NULL,
    hash character varying(64) NOT NULL
);
CREATE TABLE public.cluster_workers (
    cluster character varying(63) NOT NULL,
    worker character varying(255) NOT NULL,
    version character varying(255) NOT NULL,
    away text NOT NULL,
    seen_at double precision NOT NULL
);
CREATE TABLE public.components (
    app_id character varying(24) NOT NULL,
    name character varying(63) NOT NULL,
    "position" integer NOT NULL,
    spec text NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL
);
CREATE TABLE public.deliveries (
    id bigint NOT NULL,
    seq bigint NOT NULL,
    target character varying(63) NOT NULL,
    app_id character varying(24) NOT NULL,
    state character varying(16) NOT NULL,
    attempts integer NOT NULL,
    tries integer NOT NULL,
    http_status integer,
    error text NOT NULL,
    next_at double precision,
    created_at double precision NOT NULL,
    tried_at double precision
);
CREATE SEQUENCE public.deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.deliveries_id_seq OWNED BY public.deliveries.id;
CREATE TABLE public.drifts (
    app_id character varying(24) NOT NULL,
    revision integer NOT NULL,
    since double precision NOT NULL
);
CREATE TABLE public.duties (
    name character varying(80) NOT NULL,
    owner character varying(255) NOT NULL,
    expires_at double precision NOT NULL
);
CREATE TABLE public.events (
    id bigint NOT NULL,
    task_id character varying(24) NOT NULL,
    type character varying(32) NOT NULL,
    data text NOT NULL,
    at double precision NOT NULL
);
CREATE SEQUENCE public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.events_id_seq OWNED BY public.events.id;
CREATE TABLE public.evidence (
    task_id character varying(24) NOT NULL,
    component character varying(63) NOT NULL,
    pods text NOT NULL,
    created_at double precision NOT NULL
);
CREATE TABLE public.jobs (
    task_id character varying(24) NOT NULL,
    seq integer NOT NULL,
    stage integer NOT NULL,
    step text NOT NULL,
    name text NOT NULL,
    component character varying(63) NOT NULL,
    component_type character varying(32) NOT NULL,
    kind character varying(317) NOT NULL,
    namespace character varying(63) NOT NULL,
    object_name character varying(253) NOT NULL,
    status character varying(16) NOT NULL,
    info text NOT NULL,
    error text NOT NULL,
    reason_code character varying(32),
    started_at double precision,
    ended_at double precision
);
CREATE TABLE public.kinds (
    cluster character varying(63) NOT NULL,
    name character varying(317) NOT NULL
);
CREATE TABLE public.one_time (
    hash character varying(64) NOT NULL,
    expires_at double precision NOT NULL
);
CREATE TABLE public.outbox (
    seq bigint NOT NULL,
    id character varying(24) NOT NULL,
    type character varying(32) NOT NULL,
    app_id character varying(24) NOT NULL,
    task_id character varying(24),
    data text NOT NULL,
    created_at double precision NOT NULL,
    taken_at double precision
);
CREATE SEQUENCE public.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.outbox_seq_seq OWNED BY public.outbox.seq;
CREATE TABLE public.resources (
    task_id character varying(24) NOT NULL,
    seq integer NOT NULL,
    job_seq integer NOT NULL,
    api_version character varying(253) NOT NULL,
    kind character varying(317) NOT NULL,
    namespace character varying(63) NOT NULL,
    name character varying(253) NOT NULL,
    purpose character varying(16) NOT NULL,
    state character varying(16) NOT NULL,
    uid character varying(64),
    before text,
    applied text,
    dependents text,
    why text NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL,
    adopted boolean,
    made_at character varying(32),
    priority integer,
    holder character varying(24)
);
CREATE TABLE public.revisions (
    app_id character varying(24) NOT NULL,
    number integer NOT NULL,
    state character varying(16) NOT NULL,
    spec text NOT NULL,
    strategy character varying(16) NOT NULL,
    note text NOT NULL,
    caller character varying(255) NOT NULL,
    task_id character varying(24) NOT NULL,
    changes text NOT NULL,
    restarts text NOT NULL,
    config_digests text NOT NULL,
    replaces_draft boolean NOT NULL,
    created_at double precision NOT NULL
);
CREATE TABLE public.sealing_keys (
    id character varying(32) NOT NULL,
    proof text NOT NULL,
    complete boolean NOT NULL
);
CREATE TABLE public.sessions (
    hash character varying(64) NOT NULL,
    name character varying(255) NOT NULL,
    groups text NOT NULL,
    token_id character varying(16),
    subject character varying(64),
    sid character varying(64),
    created_at double precision NOT NULL,
    used_at double precision NOT NULL,
    expires_at double precision NOT NULL
);
CREATE TABLE public.shares (
    cluster character varying(63) NOT NULL,
    name character varying(253) NOT NULL,
    task_id character varying(24) NOT NULL
);
CREATE TABLE public.tasks (
    seq bigint NOT NULL,
    id character varying(24) NOT NULL,
    app_id character varying(24) NOT NULL,
    app_name character varying(253) NOT NULL,
    cluster character varying(63) NOT NULL,
    namespace character varying(63) NOT NULL,
    project text NOT NULL,
    workflow_id character varying(24) NOT NULL,
    workflow_name character varying(253) NOT NULL,
    type character varying(16) NOT NULL,
    status character varying(16) NOT NULL,
    reason text NOT NULL,
    reason_code character varying(32),
    cleanup character varying(16) NOT NULL,
    cleanup_why text NOT NULL,
    cleanup_attempts integer NOT NULL,
    next_cleanup_at double precision,
    cancelled_by text,
    cancel_request_id character varying(64),
    cancel_requested_at double precision,
    cancel_cleanup character varying(16),
    caller character varying(255) NOT NULL,
    acting_as text,
    idempotency_key character varying(255),
    body_hash text,
    request_id character varying(64),
    traceparent character varying(55),
    options text NOT NULL,
    spec text NOT NULL,
    plan text,
    revision integer,
    promoted_hold integer NOT NULL,
    attempt integer NOT NULL,
    active_app character varying(24),
    lease_owner character varying(255),
    lease_epoch integer NOT NULL,
    lease_commits bigint NOT NULL,
    lease_expires_at double precision,
    claimed_at double precision,
    created_at double precision NOT NULL,
    started_at double precision,
    ended_at double precision,
    updated_at double precision NOT NULL
);
CREATE SEQUENCE public.tasks_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tasks_seq_seq OWNED BY public.tasks.seq;
CREATE TABLE public.tokens (
    id character varying(16) NOT NULL,
    name character varying(255) NOT NULL,
    owner character varying(255) NOT NULL,
    hash character varying(64) NOT NULL,
    grants text NOT NULL,
    made_by character varying(255) NOT NULL,
    created_at double precision NOT NULL,
    expires_at double precision,
    used_at double precision,
    revoked_at double precision,
    revoked_by character varying(255)
);
CREATE TABLE public.workflows (
    id character varying(24) NOT NULL,
    app_id character varying(24) NOT NULL,
    name character varying(253) NOT NULL,
    alias text NOT NULL,
    namespace character varying(63) NOT NULL,
    project text NOT NULL,
    description text NOT NULL,
    type character varying(32) NOT NULL,
    disabled boolean NOT NULL,
    steps text NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL
);
CREATE TABLE public.write_probes (
    id character varying(24) NOT NULL,
    filler text NOT NULL
);
CREATE TABLE public.writes (
    token character varying(64) NOT NULL,
    task_id character varying(24) NOT NULL,
    seq integer NOT NULL,
    kind character varying(16) NOT NULL,
    base_version character varying(64),
    answer text,
    created_at double precision NOT NULL,
    answered_at double precision,
    job_seq integer
);
ALTER TABLE ONLY public.deliveries ALTER COLUMN id SET DEFAULT nextval('public.deliveries_id_seq'::regclass);
ALTER TABLE ONLY public.events ALTER COLUMN id SET DEFAULT nextval('public.events_id_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN seq SET DEFAULT nextval('public.outbox_seq_seq'::regclass);
ALTER TABLE ONLY public.tasks ALTER COLUMN seq SET DEFAULT nextval('public.tasks_seq_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('v1_0001');
INSERT INTO public.applications VALUES ('shop....................', 'default', 'default', 'shop', 'Läden 🛒', '', '', '', '', false, NULL, 1796079397.7928, 1796079397.792807);
INSERT INTO public.applications VALUES ('other...................', 'default', 'default', 'other', 'Läden 🛒', '', '', '', '', false, NULL, 1796079397.91501, 1796079397.915014);
INSERT INTO public.applications VALUES ('third...................', 'default', 'default', 'third', 'Läden 🛒', '', '', '', '', false, NULL, 1796079397.925451, 1796079397.925454);
INSERT INTO public.components VALUES ('shop....................', 'web', 0, '{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}', 1796079397.897352, 1796079397.89736);
INSERT INTO public.components VALUES ('other...................', 'web', 0, '{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}', 1796079397.917852, 1796079397.917855);
INSERT INTO public.components VALUES ('third...................', 'web', 0, '{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}', 1796079397.926471, 1796079397.926474);
INSERT INTO public.deliveries VALUES (1, 1, 'ops', 'shop....................', 'waiting', 0, 0, NULL, '', 1796079398.154589, 1796079398.154598, NULL);
INSERT INTO public.deliveries VALUES (2, 2, 'ops', 'other...................', 'waiting', 0, 0, NULL, '', 1796079398.15524, 1796079398.155243, NULL);
INSERT INTO public.drifts VALUES ('third...................', 1, 1796079398.162743);
INSERT INTO public.duties VALUES ('notifications', '', 1796165797.588487);
INSERT INTO public.events VALUES (1, 'shop-1..................', 'task', '{"status":"running"}', 1796079397.949741);
INSERT INTO public.events VALUES (2, 'other-1.................', 'task', '{"status":"running"}', 1796079397.990301);
INSERT INTO public.events VALUES (3, 'third-1.................', 'task', '{"status":"running"}', 1796079398.12378);
INSERT INTO public.jobs VALUES ('shop-1..................', 1, 0, 'step', 'web/ConfigMap/shop', 'web', 'webservice', 'ConfigMap', 'default', 'shop', 'queued', '', '', NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('other-1.................', 1, 0, 'step', 'web/ConfigMap/other', 'web', 'webservice', 'ConfigMap', 'default', 'other', 'queued', '', '', NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('third-1.................', 1, 0, 'step', 'web/ConfigMap/third', 'web', 'webservice', 'ConfigMap', 'default', 'third', 'queued', '', '', NULL, NULL, NULL);
INSERT INTO public.one_time VALUES ('5555555555555555555555555555555555555555555555555555555555555555', 1796082997.707671);
INSERT INTO public.outbox VALUES (1, 'a3abvej43rzahjeslk4gkrro', 'task.completed', 'shop....................', 'shop-1..................', '{"taskId":"shop-1..................","appId":"shop....................","cluster":"default","namespace":"default","name":"shop","project":"","kind":"deploy","revision":1,"status":"completed","reason":"","reasonCode":null,"cleanup":"none","remaining":"","user":"ada","cancelledBy":null,"commit":null}', 1796079397.962379, 1796079398.157494);
INSERT INTO public.outbox VALUES (2, 'ay7u3x8mlov099rm3lgtnpuq', 'task.cancelled', 'other...................', 'other-1.................', '{"taskId":"other-1.................","appId":"other...................","cluster":"default","namespace":"default","name":"other","project":"","kind":"deploy","revision":1,"status":"cancelled","reason":"wrong version","reasonCode":null,"cleanup":"pending","remaining":"","user":"ada","cancelledBy":"ada","commit":null}', 1796079398.038827, 1796079398.15752);
INSERT INTO public.resources VALUES ('shop-1..................', 1, 1, 'v1', 'ConfigMap', 'default', 'shop', 'apply', 'created', 'uid-shop', NULL, NULL, NULL, '', 1796079397.945679, 1796079397.948524, NULL, NULL, NULL, 'shop....................');
INSERT INTO public.resources VALUES ('other-1.................', 1, 1, 'v1', 'ConfigMap', 'default', 'other', 'apply', 'created', 'uid-other', NULL, NULL, NULL, '', 1796079397.986194, 1796079397.988937, NULL, NULL, NULL, 'other...................');
INSERT INTO public.resources VALUES ('third-1.................', 1, 1, 'v1', 'ConfigMap', 'default', 'third', 'apply', 'created', 'uid-third', NULL, NULL, NULL, '', 1796079398.090945, 1796079398.106066, NULL, NULL, NULL, 'third...................');
INSERT INTO public.revisions VALUES ('shop....................', 2, 'pending', '{"name":"shop","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}', 'rolling', 'why', 'ada', 'shop-2..................', '{}', '{}', '{}', false, 1796079397.911022);
INSERT INTO public.revisions VALUES ('other...................', 2, 'pending', '{"name":"other","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}', 'rolling', 'why', 'ada', 'other-2.................', '{}', '{}', '{}', false, 1796079397.92489);
INSERT INTO public.revisions VALUES ('third...................', 1, 'pending', '{"name":"third","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}', 'rolling', 'why', 'ada', 'third-1.................', '{}', '{}', '{}', false, 1796079397.927284);
INSERT INTO public.revisions VALUES ('third...................', 2, 'pending', '{"name":"third","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}', 'rolling', 'why', 'ada', 'third-2.................', '{}', '{}', '{}', false, 1796079397.928097);
INSERT INTO public.revisions VALUES ('shop....................', 1, 'current', '{"name":"shop","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}', 'rolling', 'why', 'ada', 'shop-1..................', '{}', '{}', '{}', false, 1796079397.902797);
INSERT INTO public.revisions VALUES ('other...................', 1, 'cancelled', '{"name":"other","component":[{"name":"web","type":"webservice","image":"web:1","properties":{"env":{"a":"1"}}}]}', 'rolling', 'why', 'ada', 'other-1.................', '{}', '{}', '{}', false, 1796079397.923379);
INSERT INTO public.sessions VALUES ('1111111111111111111111111111111111111111111111111111111111111111', 'ada', '[]', 'abcdefghijkl', NULL, NULL, 1796079397.672464, 1796079397.672471, 1796082997.672472);
INSERT INTO public.sessions VALUES ('2222222222222222222222222222222222222222222222222222222222222222', 'bea', '[]', NULL, '3333333333333333333333333333333333333333333333333333333333333333', '4444444444444444444444444444444444444444444444444444444444444444', 1796079397.677425, 1796079397.677429, 1796082997.677429);
INSERT INTO public.shares VALUES ('default', 'lock', 'shop-1..................');
INSERT INTO public.tasks VALUES (2, 'shop-2..................', 'shop....................', 'shop', 'default', 'default', '', 'flow....................', 'flow', 'deploy', 'waiting', '', NULL, 'none', '', 0, NULL, NULL, NULL, NULL, NULL, 'ada', NULL, NULL, NULL, NULL, NULL, '{}', '{"of":"shop-2"}', '{"stages":[]}', 2, 0, 0, NULL, NULL, 0, 0, NULL, NULL, 1796079397.912869, NULL, NULL, 1796079397.912872);
INSERT INTO public.tasks VALUES (4, 'other-2.................', 'other...................', 'other', 'default', 'default', '', 'flow....................', 'flow', 'deploy', 'waiting', '', NULL, 'none', '', 0, NULL, NULL, NULL, NULL, NULL, 'ada', NULL, NULL, NULL, NULL, NULL, '{}', '{"of":"other-2"}', '{"stages":[]}', 2, 0, 0, NULL, NULL, 0, 0, NULL, NULL, 1796079397.925217, NULL, NULL, 1796079397.92522);
INSERT INTO public.tasks VALUES (6, 'third-2.................', 'third...................', 'third', 'default', 'default', '', 'flow....................', 'flow', 'deploy', 'waiting', '', NULL, 'none', '', 0, NULL, NULL, NULL, NULL, NULL, 'ada', NULL, NULL, NULL, NULL, NULL, '{}', '{"of":"third-2"}', '{"stages":[]}', 2, 0, 0, NULL, NULL, 0, 0, NULL, NULL, 1796079397.928437, NULL, NULL, 1796079397.92844);
INSERT INTO public.tasks VALUES (1, 'shop-1..................', 'shop....................', 'shop', 'default', 'default', '', 'flow....................', 'flow', 'deploy', 'completed', '', NULL, 'none', '', 0, NULL, NULL, NULL, NULL, NULL, 'ada', NULL, NULL, NULL, NULL, NULL, '{}', '{"of":"shop-1"}', '{"stages":[]}', 1, 0, 1, NULL, NULL, 1, 4168005073433001984, NULL, 1796079397.936743, 1796079397.906573, 1796079397.94053, 1796079397.956874, 1796079397.95688);
INSERT INTO public.tasks VALUES (3, 'other-1.................', 'other...................', 'other', 'default', 'default', '', 'flow....................', 'flow', 'deploy', 'cancelled', 'wrong version', NULL, 'pending', '', 0, NULL, 'ada', NULL, 1796079397.994825, NULL, 'ada', NULL, NULL, NULL, NULL, NULL, '{}', '{"of":"other-1"}', '{"stages":[]}', 1, 0, 1, 'other...................', 'worker', 1, 3541170857327984640, 1796082997.979282, 1796079397.979289, 1796079397.923827, 1796079397.983334, 1796079397.994832, 1796079397.994833);
INSERT INTO public.tasks VALUES (5, 'third-1.................', 'third...................', 'third', 'default', 'default', '', 'flow....................', 'flow', 'deploy', 'running', '', NULL, 'none', '', 0, NULL, NULL, NULL, NULL, NULL, 'ada', NULL, NULL, NULL, NULL, NULL, '{}', '{"of":"third-1"}', '{"stages":[]}', 1, 0, 1, 'third...................', 'worker', 1, 3134940807384006656, 1796082998.071115, 1796079398.07112, 1796079397.9276, 1796079398.078597, NULL, 1796079398.078597);
INSERT INTO public.tokens VALUES ('abcdefghijkl', 'ci', 'ada', '0000000000000000000000000000000000000000000000000000000000000000', '[]', 'database', 1796079397.609114, NULL, NULL, NULL, NULL);
INSERT INTO public.workflows VALUES ('flow-shop...............', 'shop....................', 'deploy', '', 'default', '', '', '', false, '[]', 1796079397.877609, 1796079397.877619);
INSERT INTO public.workflows VALUES ('flow-other..............', 'other...................', 'deploy', '', 'default', '', '', '', false, '[]', 1796079397.916284, 1796079397.916288);
INSERT INTO public.workflows VALUES ('flow-third..............', 'third...................', 'deploy', '', 'default', '', '', '', false, '[]', 1796079397.925692, 1796079397.925695);
INSERT INTO public.writes VALUES ('shop-1...................1', 'shop-1..................', 1, 'create', NULL, NULL, 1796079397.947239, NULL, NULL);
INSERT INTO public.writes VALUES ('other-1..................1', 'other-1.................', 1, 'create', NULL, NULL, 1796079397.987876, NULL, NULL);
INSERT INTO public.writes VALUES ('third-1..................1', 'third-1.................', 1, 'create', NULL, NULL, 1796079398.098034, NULL, NULL);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.applications
    ADD CONSTRAINT pk_applications PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (seq);
ALTER TABLE ONLY public.audit_heads
    ADD CONSTRAINT pk_audit_heads PRIMARY KEY (id);
ALTER TABLE ONLY public.cluster_workers
    ADD CONSTRAINT pk_cluster_workers PRIMARY KEY (cluster, worker);
ALTER TABLE ONLY public.components
    ADD CONSTRAINT pk_components PRIMARY KEY (app_id, name);
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT pk_deliveries PRIMARY KEY (id);
ALTER TABLE ONLY public.drifts
    ADD CONSTRAINT pk_drifts PRIMARY KEY (app_id);
ALTER TABLE ONLY public.duties
    ADD CONSTRAINT pk_duties PRIMARY KEY (name);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT pk_evidence PRIMARY KEY (task_id, component);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (task_id, seq);
ALTER TABLE ONLY public.kinds
    ADD CONSTRAINT pk_kinds PRIMARY KEY (cluster, name);
ALTER TABLE ONLY public.one_time
    ADD CONSTRAINT pk_one_time PRIMARY KEY (hash);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (seq);
ALTER TABLE ONLY public.resources
    ADD CONSTRAINT pk_resources PRIMARY KEY (task_id, seq);
ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT pk_revisions PRIMARY KEY (app_id, number);
ALTER TABLE ONLY public.sealing_keys
    ADD CONSTRAINT pk_sealing_keys PRIMARY KEY (id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT pk_sessions PRIMARY KEY (hash);
ALTER TABLE ONLY public.shares
    ADD CONSTRAINT pk_shares PRIMARY KEY (cluster, name);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT pk_tasks PRIMARY KEY (seq);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT pk_tokens PRIMARY KEY (id);
ALTER TABLE ONLY public.workflows
    ADD CONSTRAINT pk_workflows PRIMARY KEY (id);
ALTER TABLE ONLY public.write_probes
    ADD CONSTRAINT pk_write_probes PRIMARY KEY (id);
ALTER TABLE ONLY public.writes
    ADD CONSTRAINT pk_writes PRIMARY KEY (token);
ALTER TABLE ONLY public.applications
    ADD CONSTRAINT uq_applications_cluster_namespace_name UNIQUE (cluster, namespace, name);
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT uq_deliveries_seq_target UNIQUE (seq, target);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT uq_outbox_id UNIQUE (id);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT uq_tasks_active_app UNIQUE (active_app);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT uq_tasks_caller_app_id_idempotency_key UNIQUE (caller, app_id, idempotency_key);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT uq_tasks_id UNIQUE (id);
ALTER TABLE ONLY public.workflows
    ADD CONSTRAINT uq_workflows_app_id_name UNIQUE (app_id, name);
CREATE INDEX ix_applications_name ON public.applications USING btree (name);
CREATE INDEX ix_applications_namespace_updated_at_id ON public.applications USING btree (namespace, updated_at, id);
CREATE INDEX ix_applications_updated_at_id ON public.applications USING btree (updated_at, id);
CREATE INDEX ix_audit_app_id_seq ON public.audit USING btree (app_id, seq);
CREATE INDEX ix_audit_at ON public.audit USING btree (at);
CREATE INDEX ix_audit_caller_seq ON public.audit USING btree (caller, seq);
CREATE INDEX ix_audit_cluster_seq ON public.audit USING btree (cluster, seq);
CREATE INDEX ix_audit_operation_seq ON public.audit USING btree (operation, seq);
CREATE INDEX ix_audit_request_id ON public.audit USING btree (request_id);
CREATE INDEX ix_audit_task_id_seq ON public.audit USING btree (task_id, seq);
CREATE INDEX ix_deliveries_state_id ON public.deliveries USING btree (state, id);
CREATE INDEX ix_deliveries_target_app_id_next_at ON public.deliveries USING btree (target, app_id, next_at);
CREATE INDEX ix_deliveries_target_next_at ON public.deliveries USING btree (target, next_at);
CREATE INDEX ix_events_task_id_id ON public.events USING btree (task_id, id);
CREATE INDEX ix_one_time_expires_at ON public.one_time USING btree (expires_at);
CREATE INDEX ix_outbox_taken_at_seq ON public.outbox USING btree (taken_at, seq);
CREATE INDEX ix_resources_holder ON public.resources USING btree (holder);
CREATE INDEX ix_resources_uid_holder ON public.resources USING btree (uid, holder);
CREATE INDEX ix_sessions_expires_at ON public.sessions USING btree (expires_at);
CREATE INDEX ix_sessions_sid ON public.sessions USING btree (sid);
CREATE INDEX ix_sessions_subject ON public.sessions USING btree (subject);
CREATE INDEX ix_sessions_token_id ON public.sessions USING btree (token_id);
CREATE INDEX ix_tasks_app_id_seq ON public.tasks USING btree (app_id, seq);
CREATE INDEX ix_tasks_cleanup_app_id ON public.tasks USING btree (cleanup, app_id);
CREATE INDEX ix_tasks_lease_expires_at_cluster ON public.tasks USING btree (lease_expires_at, cluster);
CREATE INDEX ix_tasks_namespace_seq ON public.tasks USING btree (namespace, seq);
CREATE INDEX ix_tasks_next_cleanup_at_cluster ON public.tasks USING btree (next_cleanup_at, cluster);
CREATE INDEX ix_tasks_status_app_id_seq_cluster ON public.tasks USING btree (status, app_id, seq, cluster);
CREATE INDEX ix_tasks_status_seq ON public.tasks USING btree (status, seq);
CREATE INDEX ix_tasks_workflow_id_seq ON public.tasks USING btree (workflow_id, seq);
CREATE INDEX ix_tokens_owner ON public.tokens USING btree (owner);
CREATE INDEX ix_writes_base_version ON public.writes USING btree (base_version);
CREATE INDEX ix_writes_task_id_seq ON public.writes USING btree (task_id, seq);
ALTER TABLE ONLY public.components
    ADD CONSTRAINT fk_components_app_id FOREIGN KEY (app_id) REFERENCES public.applications(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT fk_deliveries_seq FOREIGN KEY (seq) REFERENCES public.outbox(seq) ON DELETE CASCADE;
ALTER TABLE ONLY public.drifts
    ADD CONSTRAINT fk_drifts_app_id FOREIGN KEY (app_id) REFERENCES public.applications(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.events
    ADD CONSTRAINT fk_events_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT fk_evidence_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.resources
    ADD CONSTRAINT fk_resources_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT fk_revisions_app_id FOREIGN KEY (app_id) REFERENCES public.applications(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_token_id FOREIGN KEY (token_id) REFERENCES public.tokens(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workflows
    ADD CONSTRAINT fk_workflows_app_id FOREIGN KEY (app_id) REFERENCES public.applications(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.writes
    ADD CONSTRAINT fk_writes_task_id_seq FOREIGN KEY (task_id, seq) REFERENCES public.resources(task_id, seq) ON DELETE CASCADE;
