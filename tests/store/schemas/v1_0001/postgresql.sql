CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.applications (
    id character varying(24) NOT NULL,
    namespace character varying(63) NOT NULL,
    name character varying(253) NOT NULL,
    alias text NOT NULL,
    version text NOT NULL,
    project text NOT NULL,
    description text NOT NULL,
    icon text NOT NULL,
    tmp_enable boolean NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL
);
CREATE TABLE public.claims (
    token character varying(64) NOT NULL,
    task_id character varying(24) NOT NULL,
    seq integer NOT NULL,
    kind character varying(16) NOT NULL,
    base_version character varying(64),
    answer text,
    created_at double precision NOT NULL,
    answered_at double precision
);
CREATE TABLE public.components (
    id bigint NOT NULL,
    app_id character varying(24) NOT NULL,
    "position" integer NOT NULL,
    name character varying(63) NOT NULL,
    type character varying(32) NOT NULL,
    namespace character varying(63) NOT NULL,
    image text NOT NULL,
    replicas integer NOT NULL,
    properties text NOT NULL,
    traits text NOT NULL,
    template text,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL
);
CREATE SEQUENCE public.components_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.components_id_seq OWNED BY public.components.id;
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
CREATE TABLE public.jobs (
    task_id character varying(24) NOT NULL,
    seq integer NOT NULL,
    stage integer NOT NULL,
    name text NOT NULL,
    component character varying(63) NOT NULL,
    component_type character varying(32) NOT NULL,
    kind character varying(63) NOT NULL,
    namespace character varying(63) NOT NULL,
    object_name character varying(253) NOT NULL,
    status character varying(16) NOT NULL,
    info text NOT NULL,
    error text NOT NULL,
    started_at double precision,
    ended_at double precision
);
CREATE TABLE public.resources (
    task_id character varying(24) NOT NULL,
    seq integer NOT NULL,
    job_seq integer NOT NULL,
    api_version character varying(253) NOT NULL,
    kind character varying(63) NOT NULL,
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
    updated_at double precision NOT NULL
);
CREATE TABLE public.tasks (
    seq bigint NOT NULL,
    id character varying(24) NOT NULL,
    app_id character varying(24) NOT NULL,
    app_name character varying(253) NOT NULL,
    workflow_id character varying(24) NOT NULL,
    workflow_name character varying(253) NOT NULL,
    type character varying(16) NOT NULL,
    status character varying(16) NOT NULL,
    reason text NOT NULL,
    cleanup character varying(16) NOT NULL,
    cleanup_why text NOT NULL,
    cleanup_attempts integer NOT NULL,
    next_cleanup_at double precision,
    cancelled_by text,
    cancel_requested_at double precision,
    caller character varying(255) NOT NULL,
    idempotency_key character varying(255),
    body_hash character varying(128),
    options text NOT NULL,
    spec text NOT NULL,
    plan text,
    attempt integer NOT NULL,
    active_app character varying(24),
    lease_owner character varying(255),
    lease_epoch integer NOT NULL,
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
ALTER TABLE ONLY public.components ALTER COLUMN id SET DEFAULT nextval('public.components_id_seq'::regclass);
ALTER TABLE ONLY public.events ALTER COLUMN id SET DEFAULT nextval('public.events_id_seq'::regclass);
ALTER TABLE ONLY public.tasks ALTER COLUMN seq SET DEFAULT nextval('public.tasks_seq_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('v1_0001');
INSERT INTO public.applications VALUES ('shop....................', 'default', 'shop', 'Läden 🛒', '', '', '', '', false, 1795556909.159923, 1795556909.159992);
INSERT INTO public.applications VALUES ('other...................', 'default', 'other', 'Läden 🛒', '', '', '', '', false, 1795556909.339638, 1795556909.33965);
INSERT INTO public.applications VALUES ('third...................', 'default', 'third', 'Läden 🛒', '', '', '', '', false, 1795556909.450683, 1795556909.450696);
INSERT INTO public.claims VALUES ('shop-1...................1', 'shop-1..................', 1, 'create', NULL, NULL, 1795556909.902969, NULL);
INSERT INTO public.claims VALUES ('other-1..................1', 'other-1.................', 1, 'create', NULL, NULL, 1795556910.117487, NULL);
INSERT INTO public.claims VALUES ('third-1..................1', 'third-1.................', 1, 'create', NULL, NULL, 1795556910.391814, NULL);
INSERT INTO public.components VALUES (1, 'shop....................', 0, 'web', 'webservice', 'default', 'web:1', 1, '{"env":{"a":"1"}}', '{}', NULL, 1795556909.248168, 1795556909.24818);
INSERT INTO public.components VALUES (2, 'other...................', 0, 'web', 'webservice', 'default', 'web:1', 1, '{"env":{"a":"1"}}', '{}', NULL, 1795556909.379811, 1795556909.379822);
INSERT INTO public.components VALUES (3, 'third...................', 0, 'web', 'webservice', 'default', 'web:1', 1, '{"env":{"a":"1"}}', '{}', NULL, 1795556909.497276, 1795556909.497287);
INSERT INTO public.events VALUES (1, 'shop-1..................', 'task', '{"status":"running"}', 1795556909.940962);
INSERT INTO public.events VALUES (2, 'other-1.................', 'task', '{"status":"running"}', 1795556910.149625);
INSERT INTO public.events VALUES (3, 'third-1.................', 'task', '{"status":"running"}', 1795556910.422969);
INSERT INTO public.jobs VALUES ('shop-1..................', 1, 0, 'web/ConfigMap/shop', 'web', 'webservice', 'ConfigMap', 'default', 'shop', 'queued', '', '', NULL, NULL);
INSERT INTO public.jobs VALUES ('other-1.................', 1, 0, 'web/ConfigMap/other', 'web', 'webservice', 'ConfigMap', 'default', 'other', 'queued', '', '', NULL, NULL);
INSERT INTO public.jobs VALUES ('third-1.................', 1, 0, 'web/ConfigMap/third', 'web', 'webservice', 'ConfigMap', 'default', 'third', 'queued', '', '', NULL, NULL);
INSERT INTO public.resources VALUES ('shop-1..................', 1, 1, 'v1', 'ConfigMap', 'default', 'shop', 'apply', 'created', 'uid-shop', NULL, NULL, NULL, '', 1795556909.872064, 1795556909.911558);
INSERT INTO public.resources VALUES ('other-1.................', 1, 1, 'v1', 'ConfigMap', 'default', 'other', 'apply', 'created', 'uid-other', NULL, NULL, NULL, '', 1795556910.109192, 1795556910.139602);
INSERT INTO public.resources VALUES ('third-1.................', 1, 1, 'v1', 'ConfigMap', 'default', 'third', 'apply', 'created', 'uid-third', NULL, NULL, NULL, '', 1795556910.380862, 1795556910.405325);
INSERT INTO public.tasks VALUES (2, 'shop-2..................', 'shop....................', 'shop', 'flow....................', 'flow', 'deploy', 'waiting', '', 'none', '', 0, NULL, NULL, NULL, 'ada', NULL, NULL, '{}', '{"of":"shop-2"}', '{"stages":[]}', 0, NULL, NULL, 0, NULL, NULL, 1795556909.31433, NULL, NULL, 1795556909.314337);
INSERT INTO public.tasks VALUES (4, 'other-2.................', 'other...................', 'other', 'flow....................', 'flow', 'deploy', 'waiting', '', 'none', '', 0, NULL, NULL, NULL, 'ada', NULL, NULL, '{}', '{"of":"other-2"}', '{"stages":[]}', 0, NULL, NULL, 0, NULL, NULL, 1795556909.43393, NULL, NULL, 1795556909.433944);
INSERT INTO public.tasks VALUES (6, 'third-2.................', 'third...................', 'third', 'flow....................', 'flow', 'deploy', 'waiting', '', 'none', '', 0, NULL, NULL, NULL, 'ada', NULL, NULL, '{}', '{"of":"third-2"}', '{"stages":[]}', 0, NULL, NULL, 0, NULL, NULL, 1795556909.564333, NULL, NULL, 1795556909.564338);
INSERT INTO public.tasks VALUES (1, 'shop-1..................', 'shop....................', 'shop', 'flow....................', 'flow', 'deploy', 'completed', '', 'none', '', 0, NULL, NULL, NULL, 'ada', NULL, NULL, '{}', '{"of":"shop-1"}', '{"stages":[]}', 1, NULL, NULL, 1, NULL, 1795556909.691961, 1795556909.312162, 1795556909.788057, 1795556909.987926, 1795556909.987937);
INSERT INTO public.tasks VALUES (3, 'other-1.................', 'other...................', 'other', 'flow....................', 'flow', 'deploy', 'cancelled', 'wrong version', 'pending', '', 0, NULL, 'ada', 1795556910.209954, 'ada', NULL, NULL, '{}', '{"of":"other-1"}', '{"stages":[]}', 1, 'other...................', 'worker', 1, 1795560510.053198, 1795556910.053209, 1795556909.417085, 1795556910.086224, 1795556910.209966, 1795556910.209967);
INSERT INTO public.tasks VALUES (5, 'third-1.................', 'third...................', 'third', 'flow....................', 'flow', 'deploy', 'running', '', 'none', '', 0, NULL, NULL, NULL, 'ada', NULL, NULL, '{}', '{"of":"third-1"}', '{"stages":[]}', 1, 'third...................', 'worker', 1, 1795560510.317604, 1795556910.317615, 1795556909.552334, 1795556910.361216, NULL, 1795556910.361225);
INSERT INTO public.workflows VALUES ('flow-shop...............', 'shop....................', 'deploy', '', 'default', '', '', '', false, '[]', 1795556909.188073, 1795556909.188086);
INSERT INTO public.workflows VALUES ('flow-other..............', 'other...................', 'deploy', '', 'default', '', '', '', false, '[]', 1795556909.349098, 1795556909.34911);
INSERT INTO public.workflows VALUES ('flow-third..............', 'third...................', 'deploy', '', 'default', '', '', '', false, '[]', 1795556909.464966, 1795556909.46498);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.applications
    ADD CONSTRAINT pk_applications PRIMARY KEY (id);
ALTER TABLE ONLY public.claims
    ADD CONSTRAINT pk_claims PRIMARY KEY (token);
ALTER TABLE ONLY public.components
    ADD CONSTRAINT pk_components PRIMARY KEY (id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (task_id, seq);
ALTER TABLE ONLY public.resources
    ADD CONSTRAINT pk_resources PRIMARY KEY (task_id, seq);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT pk_tasks PRIMARY KEY (seq);
ALTER TABLE ONLY public.workflows
    ADD CONSTRAINT pk_workflows PRIMARY KEY (id);
ALTER TABLE ONLY public.applications
    ADD CONSTRAINT uq_applications_namespace_name UNIQUE (namespace, name);
ALTER TABLE ONLY public.components
    ADD CONSTRAINT uq_components_app_id_name UNIQUE (app_id, name);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT uq_tasks_active_app UNIQUE (active_app);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT uq_tasks_caller_app_id_idempotency_key UNIQUE (caller, app_id, idempotency_key);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT uq_tasks_id UNIQUE (id);
ALTER TABLE ONLY public.workflows
    ADD CONSTRAINT uq_workflows_app_id_name UNIQUE (app_id, name);
CREATE INDEX ix_claims_task_id_seq ON public.claims USING btree (task_id, seq);
CREATE INDEX ix_events_task_id_id ON public.events USING btree (task_id, id);
CREATE INDEX ix_tasks_app_id_claimed_at ON public.tasks USING btree (app_id, claimed_at);
CREATE INDEX ix_tasks_lease_expires_at ON public.tasks USING btree (lease_expires_at);
CREATE INDEX ix_tasks_next_cleanup_at ON public.tasks USING btree (next_cleanup_at);
CREATE INDEX ix_tasks_status_app_id_seq ON public.tasks USING btree (status, app_id, seq);
ALTER TABLE ONLY public.claims
    ADD CONSTRAINT fk_claims_task_id_seq FOREIGN KEY (task_id, seq) REFERENCES public.resources(task_id, seq) ON DELETE CASCADE;
ALTER TABLE ONLY public.components
    ADD CONSTRAINT fk_components_app_id FOREIGN KEY (app_id) REFERENCES public.applications(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.events
    ADD CONSTRAINT fk_events_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.resources
    ADD CONSTRAINT fk_resources_task_id FOREIGN KEY (task_id) REFERENCES public.tasks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workflows
    ADD CONSTRAINT fk_workflows_app_id FOREIGN KEY (app_id) REFERENCES public.applications(id) ON DELETE CASCADE;
