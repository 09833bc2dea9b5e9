SET NAMES utf8mb4;
SET FOREIGN_KEY_CHECKS = 0;
CREATE TABLE `alembic_version` (
  `version_num` varchar(32) NOT NULL,
  PRIMARY KEY (`version_num`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
INSERT INTO `alembic_version` VALUES
('v1_0001');
CREATE TABLE `applications` (
  `id` varchar(24) NOT NULL,
  `cluster` varchar(63) NOT NULL,
  `namespace` varchar(63) NOT NULL,
  `name` varchar(253) NOT NULL,
  `alias` longtext NOT NULL,
  `version` longtext NOT NULL,
  `project` longtext NOT NULL,
  `description` longtext NOT NULL,
  `icon` longtext NOT NULL,
  `tmp_enable` tinyint(1) NOT NULL,
  `config_key` longtext DEFAULT NULL,
  `created_at` double NOT NULL,
  `updated_at` double NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_applications_cluster_namespace_name` (`cluster`,`namespace`,`name`),
  KEY `ix_applications_updated_at_id` (`updated_at`,`id`),
  KEY `ix_applications_namespace_updated_at_id` (`namespace`,`updated_at`,`id`),
  KEY `ix_applications_name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `applications` VALUES
('other...................','default','default','other','Läden 🛒','','','','',0,NULL,1796079406.355253,1796079406.355253),
('shop....................','default','default','shop','Läden 🛒','','','','',0,NULL,1796079406.059528,1796079406.059528),
('third...................','default','default','third','Läden 🛒','','','','',0,NULL,1796079406.55487,1796079406.55487);
CREATE TABLE `audit` (
  `seq` bigint(20) NOT NULL,
  `at` double NOT NULL,
  `caller` varchar(255) NOT NULL,
  `authenticated` varchar(64) NOT NULL,
  `address` varchar(64) NOT NULL,
  `method` varchar(16) NOT NULL,
  `operation` varchar(64) NOT NULL,
  `target` varchar(512) NOT NULL,
  `cluster` varchar(63) NOT NULL,
  `app_id` varchar(24) NOT NULL,
  `task_id` varchar(24) NOT NULL,
  `status` int(11) NOT NULL,
  `code` int(11) NOT NULL,
  `request_id` varchar(64) NOT NULL,
  `key_id` varchar(16) NOT NULL,
  `previous` varchar(64) NOT NULL,
  `hash` varchar(64) NOT NULL,
  PRIMARY KEY (`seq`),
  KEY `ix_audit_at` (`at`),
  KEY `ix_audit_app_id_seq` (`app_id`,`seq`),
  KEY `ix_audit_task_id_seq` (`task_id`,`seq`),
  KEY `ix_audit_caller_seq` (`caller`,`seq`),
  KEY `ix_audit_request_id` (`request_id`),
  KEY `ix_audit_operation_seq` (`operation`,`seq`),
  KEY `ix_audit_cluster_seq` (`cluster`,`seq`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `audit_heads` (
  `id` int(11) NOT NULL,
  `seq` bigint(20) NOT NULL,
  `hash` varchar(64) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `cluster_workers` (
  `cluster` varchar(63) NOT NULL,
  `worker` varchar(255) NOT NULL,
  `version` varchar(255) NOT NULL,
  `away` longtext NOT NULL,
  `seen_at` double NOT NULL,
  PRIMARY KEY (`cluster`,`worker`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `components` (
  `app_id` varchar(24) NOT NULL,
  `name` varchar(63) NOT NULL,
  `position` int(11) NOT NULL,
  `spec` longtext NOT NULL,
  `created_at` double NOT NULL,
  `updated_at` double NOT NULL,
  PRIMARY KEY (`app_id`,`name`),
  CONSTRAINT `fk_components_app_id` FOREIGN KEY (`app_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `components` VALUES
('other...................','web',0,'{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}',1796079406.415302,1796079406.415302),
('shop....................','web',0,'{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}',1796079406.068093,1796079406.068093),
('third...................','web',0,'{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}',1796079406.604797,1796079406.604797);
CREATE TABLE `deliveries` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `seq` bigint(20) NOT NULL,
  `target` varchar(63) NOT NULL,
  `app_id` varchar(24) NOT NULL,
  `state` varchar(16) NOT NULL,
  `attempts` int(11) NOT NULL,
  `tries` int(11) NOT NULL,
  `http_status` int(11) DEFAULT NULL,
  `error` longtext NOT NULL,
  `next_at` double DEFAULT NULL,
  `created_at` double NOT NULL,
  `tried_at` double DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_deliveries_seq_target` (`seq`,`target`),
  KEY `ix_deliveries_target_next_at` (`target`,`next_at`),
  KEY `ix_deliveries_target_app_id_next_at` (`target`,`app_id`,`next_at`),
  KEY `ix_deliveries_state_id` (`state`,`id`),
  CONSTRAINT `fk_deliveries_seq` FOREIGN KEY (`seq`) REFERENCES `outbox` (`seq`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `deliveries` VALUES
(1,1,'ops','shop....................','waiting',0,0,NULL,'',1796079407.221512,1796079407.221512,NULL),
(2,2,'ops','other...................','waiting',0,0,NULL,'',1796079407.229515,1796079407.229515,NULL);
CREATE TABLE `drifts` (
  `app_id` varchar(24) NOT NULL,
  `revision` int(11) NOT NULL,
  `since` double NOT NULL,
  PRIMARY KEY (`app_id`),
  CONSTRAINT `fk_drifts_app_id` FOREIGN KEY (`app_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `drifts` VALUES
('third...................',1,1796079407.237932);
CREATE TABLE `duties` (
  `name` varchar(80) NOT NULL,
  `owner` varchar(255) NOT NULL,
  `expires_at` double NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `duties` VALUES
('notifications','',1796165806.042644);
CREATE TABLE `events` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `task_id` varchar(24) NOT NULL,
  `type` varchar(32) NOT NULL,
  `data` longtext NOT NULL,
  `at` double NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_events_task_id_id` (`task_id`,`id`),
  CONSTRAINT `fk_events_task_id` FOREIGN KEY (`task_id`) REFERENCES `tasks` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `events` VALUES
(1,'shop-1..................','task','{\"status\":\"running\"}',1796079407.175688),
(2,'other-1.................','task','{\"status\":\"running\"}',1796079407.195516),
(3,'third-1.................','task','{\"status\":\"running\"}',1796079407.2188);
CREATE TABLE `evidence` (
  `task_id` varchar(24) NOT NULL,
  `component` varchar(63) NOT NULL,
  `pods` longtext NOT NULL,
  `created_at` double NOT NULL,
  PRIMARY KEY (`task_id`,`component`),
  CONSTRAINT `fk_evidence_task_id` FOREIGN KEY (`task_id`) REFERENCES `tasks` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `jobs` (
  `task_id` varchar(24) NOT NULL,
  `seq` int(11) NOT NULL,
  `stage` int(11) NOT NULL,
  `step` longtext NOT NULL,
  `name` longtext NOT NULL,
  `component` varchar(63) NOT NULL,
  `component_type` varchar(32) NOT NULL,
  `kind` varchar(317) NOT NULL,
  `namespace` varchar(63) NOT NULL,
  `object_name` varchar(253) NOT NULL,
  `status` varchar(16) NOT NULL,
  `info` longtext NOT NULL,
  `error` longtext NOT NULL,
  `reason_code` varchar(32) DEFAULT NULL,
  `started_at` double DEFAULT NULL,
  `ended_at` double DEFAULT NULL,
  PRIMARY KEY (`task_id`,`seq`),
  CONSTRAINT `fk_jobs_task_id` FOREIGN KEY (`task_id`) REFERENCES `tasks` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `jobs` VALUES
('other-1.................',1,0,'step','web/ConfigMap/other','web','webservice','ConfigMap','default','other','queued','','',NULL,NULL,NULL),
('shop-1..................',1,0,'step','web/ConfigMap/shop','web','webservice','ConfigMap','default','shop','queued','','',NULL,NULL,NULL),
('third-1.................',1,0,'step','web/ConfigMap/third','web','webservice','ConfigMap','default','third','queued','','',NULL,NULL,NULL);
CREATE TABLE `kinds` (
  `cluster` varchar(63) NOT NULL,
  `name` varchar(317) NOT NULL,
  PRIMARY KEY (`cluster`,`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `one_time` (
  `hash` varchar(64) NOT NULL,
  `expires_at` double NOT NULL,
  PRIMARY KEY (`hash`),
  KEY `ix_one_time_expires_at` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `one_time` VALUES
('5555555555555555555555555555555555555555555555555555555555555555',1796083006.056942);
CREATE TABLE `outbox` (
  `seq` bigint(20) NOT NULL AUTO_INCREMENT,
  `id` varchar(24) NOT NULL,
  `type` varchar(32) NOT NULL,
  `app_id` varchar(24) NOT NULL,
  `task_id` varchar(24) DEFAULT NULL,
  `data` longtext NOT NULL,
  `created_at` double NOT NULL,
  `taken_at` double DEFAULT NULL,
  PRIMARY KEY (`seq`),
  UNIQUE KEY `uq_outbox_id` (`id`),
  KEY `ix_outbox_taken_at_seq` (`taken_at`,`seq`)
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `outbox` VALUES
(1,'2rnf3cckq0k0hvjykjnwz452','task.completed','shop....................','shop-1..................','{\"taskId\":\"shop-1..................\",\"appId\":\"shop....................\",\"cluster\":\"default\",\"namespace\":\"default\",\"name\":\"shop\",\"project\":\"\",\"kind\":\"deploy\",\"revision\":1,\"status\":\"completed\",\"reason\":\"\",\"reasonCode\":null,\"cleanup\":\"none\",\"remaining\":\"\",\"user\":\"ada\",\"cancelledBy\":null,\"commit\":null}',1796079407.187391,1796079407.234989),
(2,'on469na52l7mgnbesw6loj96','task.cancelled','other...................','other-1.................','{\"taskId\":\"other-1.................\",\"appId\":\"other...................\",\"cluster\":\"default\",\"namespace\":\"default\",\"name\":\"other\",\"project\":\"\",\"kind\":\"deploy\",\"revision\":1,\"status\":\"cancelled\",\"reason\":\"wrong version\",\"reasonCode\":null,\"cleanup\":\"pending\",\"remaining\":\"\",\"user\":\"ada\",\"cancelledBy\":\"ada\",\"commit\":null}',1796079407.201692,1796079407.234989);
CREATE TABLE `resources` (
  `task_id` varchar(24) NOT NULL,
  `seq` int(11) NOT NULL,
  `job_seq` int(11) NOT NULL,
  `api_version` varchar(253) NOT NULL,
  `kind` varchar(317) NOT NULL,
  `namespace` varchar(63) NOT NULL,
  `name` varchar(253) NOT NULL,
  `purpose` varchar(16) NOT NULL,
  `state` varchar(16) NOT NULL,
  `uid` varchar(64) DEFAULT NULL,
  `before` longtext DEFAULT NULL,
  `applied` longtext DEFAULT NULL,
  `dependents` longtext DEFAULT NULL,
  `why` longtext NOT NULL,
  `created_at` double NOT NULL,
  `updated_at` double NOT NULL,
  `adopted` tinyint(1) DEFAULT NULL,
  `made_at` varchar(32) DEFAULT NULL,
  `priority` int(11) DEFAULT NULL,
  `holder` varchar(24) DEFAULT NULL,
  PRIMARY KEY (`task_id`,`seq`),
  KEY `ix_resources_holder` (`holder`),
  KEY `ix_resources_uid_holder` (`uid`,`holder`),
  CONSTRAINT `fk_resources_task_id` FOREIGN KEY (`task_id`) REFERENCES `tasks` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `resources` VALUES
('other-1.................',1,1,'v1','ConfigMap','default','other','apply','created','uid-other',NULL,NULL,NULL,'',1796079407.194061,1796079407.195042,NULL,NULL,NULL,'other...................'),
('shop-1..................',1,1,'v1','ConfigMap','default','shop','apply','created','uid-shop',NULL,NULL,NULL,'',1796079407.162442,1796079407.174393,NULL,NULL,NULL,'shop....................'),
('third-1.................',1,1,'v1','ConfigMap','default','third','apply','created','uid-third',NULL,NULL,NULL,'',1796079407.215744,1796079407.218053,NULL,NULL,NULL,'third...................');
CREATE TABLE `revisions` (
  `app_id` varchar(24) NOT NULL,
  `number` int(11) NOT NULL,
  `state` varchar(16) NOT NULL,
  `spec` longtext NOT NULL,
  `strategy` varchar(16) NOT NULL,
  `note` longtext NOT NULL,
  `caller` varchar(255) NOT NULL,
  `task_id` varchar(24) NOT NULL,
  `changes` longtext NOT NULL,
  `restarts` longtext NOT NULL,
  `config_digests` longtext NOT NULL,
  `replaces_draft` tinyint(1) NOT NULL,
  `created_at` double NOT NULL,
  PRIMARY KEY (`app_id`,`number`),
  CONSTRAINT `fk_revisions_app_id` FOREIGN KEY (`app_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `revisions` VALUES
('other...................',1,'cancelled','{\"name\":\"other\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','other-1.................','{}','{}','{}',0,1796079406.451929),
('other...................',2,'pending','{\"name\":\"other\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','other-2.................','{}','{}','{}',0,1796079406.509447),
('shop....................',1,'current','{\"name\":\"shop\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','shop-1..................','{}','{}','{}',0,1796079406.130558),
('shop....................',2,'pending','{\"name\":\"shop\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','shop-2..................','{}','{}','{}',0,1796079406.219558),
('third...................',1,'pending','{\"name\":\"third\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','third-1.................','{}','{}','{}',0,1796079406.653336),
('third...................',2,'pending','{\"name\":\"third\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','third-2.................','{}','{}','{}',0,1796079406.751791);
CREATE TABLE `sealing_keys` (
  `id` varchar(32) NOT NULL,
  `proof` longtext NOT NULL,
  `complete` tinyint(1) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `sessions` (
  `hash` varchar(64) NOT NULL,
  `name` varchar(255) NOT NULL,
  `groups` longtext NOT NULL,
  `token_id` varchar(16) DEFAULT NULL,
  `subject` varchar(64) DEFAULT NULL,
  `sid` varchar(64) DEFAULT NULL,
  `created_at` double NOT NULL,
  `used_at` double NOT NULL,
  `expires_at` double NOT NULL,
  PRIMARY KEY (`hash`),
  KEY `ix_sessions_token_id` (`token_id`),
  KEY `ix_sessions_subject` (`subject`),
  KEY `ix_sessions_sid` (`sid`),
  KEY `ix_sessions_expires_at` (`expires_at`),
  CONSTRAINT `fk_sessions_token_id` FOREIGN KEY (`token_id`) REFERENCES `tokens` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `sessions` VALUES
('1111111111111111111111111111111111111111111111111111111111111111','ada','[]','abcdefghijkl',NULL,NULL,1796079406.052057,1796079406.052057,1796083006.052057),
('2222222222222222222222222222222222222222222222222222222222222222','bea','[]',NULL,'3333333333333333333333333333333333333333333333333333333333333333','4444444444444444444444444444444444444444444444444444444444444444',1796079406.053884,1796079406.053884,1796083006.053884);
CREATE TABLE `shares` (
  `cluster` varchar(63) NOT NULL,
  `name` varchar(253) NOT NULL,
  `task_id` varchar(24) NOT NULL,
  PRIMARY KEY (`cluster`,`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `shares` VALUES
('default','lock','shop-1..................');
CREATE TABLE `tasks` (
  `seq` bigint(20) NOT NULL AUTO_INCREMENT,
  `id` varchar(24) NOT NULL,
  `app_id` varchar(24) NOT NULL,
  `app_name` varchar(253) NOT NULL,
  `cluster` varchar(63) NOT NULL,
  `namespace` varchar(63) NOT NULL,
  `project` longtext NOT NULL,
  `workflow_id` varchar(24) NOT NULL,
  `workflow_name` varchar(253) NOT NULL,
  `type` varchar(16) NOT NULL,
  `status` varchar(16) NOT NULL,
  `reason` longtext NOT NULL,
  `reason_code` varchar(32) DEFAULT NULL,
  `cleanup` varchar(16) NOT NULL,
  `cleanup_why` longtext NOT NULL,
  `cleanup_attempts` int(11) NOT NULL,
  `next_cleanup_at` double DEFAULT NULL,
  `cancelled_by` longtext DEFAULT NULL,
  `cancel_request_id` varchar(64) DEFAULT NULL,
  `cancel_requested_at` double DEFAULT NULL,
  `cancel_cleanup` varchar(16) DEFAULT NULL,
  `caller` varchar(255) NOT NULL,
  `acting_as` longtext DEFAULT NULL,
  `idempotency_key` varchar(255) DEFAULT NULL,
  `body_hash` longtext DEFAULT NULL,
  `request_id` varchar(64) DEFAULT NULL,
  `traceparent` varchar(55) DEFAULT NULL,
  `options` longtext NOT NULL,
  `spec` longtext NOT NULL,
  `plan` longtext DEFAULT NULL,
  `revision` int(11) DEFAULT NULL,
  `promoted_hold` int(11) NOT NULL,
  `attempt` int(11) NOT NULL,
  `active_app` varchar(24) DEFAULT NULL,
  `lease_owner` varchar(255) DEFAULT NULL,
  `lease_epoch` int(11) NOT NULL,
  `lease_commits` bigint(20) NOT NULL,
  `lease_expires_at` double DEFAULT NULL,
  `claimed_at` double DEFAULT NULL,
  `created_at` double NOT NULL,
  `started_at` double DEFAULT NULL,
  `ended_at` double DEFAULT NULL,
  `updated_at` double NOT NULL,
  PRIMARY KEY (`seq`),
  UNIQUE KEY `uq_tasks_id` (`id`),
  UNIQUE KEY `uq_tasks_active_app` (`active_app`),
  UNIQUE KEY `uq_tasks_caller_app_id_idempotency_key` (`caller`,`app_id`,`idempotency_key`),
  KEY `ix_tasks_status_app_id_seq_cluster` (`status`,`app_id`,`seq`,`cluster`),
  KEY `ix_tasks_status_seq` (`status`,`seq`),
  KEY `ix_tasks_cleanup_app_id` (`cleanup`,`app_id`),
  KEY `ix_tasks_app_id_seq` (`app_id`,`seq`),
  KEY `ix_tasks_workflow_id_seq` (`workflow_id`,`seq`),
  KEY `ix_tasks_namespace_seq` (`namespace`,`seq`),
  KEY `ix_tasks_lease_expires_at_cluster` (`lease_expires_at`,`cluster`),
  KEY `ix_tasks_next_cleanup_at_cluster` (`next_cleanup_at`,`cluster`)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `tasks` VALUES
(1,'shop-1..................','shop....................','shop','default','default','','flow....................','flow','deploy','completed','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{\"of\":\"shop-1\"}','{\"stages\":[]}',1,0,1,NULL,NULL,1,2838843103413010432,NULL,1796079406.984046,1796079406.163697,1796079407.081668,1796079407.182204,1796079407.182204),
(2,'shop-2..................','shop....................','shop','default','default','','flow....................','flow','deploy','waiting','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{\"of\":\"shop-2\"}','{\"stages\":[]}',2,0,0,NULL,NULL,0,0,NULL,NULL,1796079406.314085,NULL,NULL,1796079406.314085),
(3,'other-1.................','other...................','other','default','default','','flow....................','flow','deploy','cancelled','wrong version',NULL,'pending','',0,NULL,'ada',NULL,1796079407.197318,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{\"of\":\"other-1\"}','{\"stages\":[]}',1,0,1,'other...................','worker',1,3547275113957163008,1796083007.191239,1796079407.191239,1796079406.462606,1796079407.192926,1796079407.197318,1796079407.197318),
(4,'other-2.................','other...................','other','default','default','','flow....................','flow','deploy','waiting','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{\"of\":\"other-2\"}','{\"stages\":[]}',2,0,0,NULL,NULL,0,0,NULL,NULL,1796079406.541259,NULL,NULL,1796079406.541259),
(5,'third-1.................','third...................','third','default','default','','flow....................','flow','deploy','running','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{\"of\":\"third-1\"}','{\"stages\":[]}',1,0,1,'third...................','worker',1,3408164718127349760,1796083007.208001,1796079407.208001,1796079406.659593,1796079407.213766,NULL,1796079407.213766),
(6,'third-2.................','third...................','third','default','default','','flow....................','flow','deploy','waiting','',NULL,'none','',0,NULL,NULL,NULL,NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,'{}','{\"of\":\"third-2\"}','{\"stages\":[]}',2,0,0,NULL,NULL,0,0,NULL,NULL,1796079406.77238,NULL,NULL,1796079406.77238);
CREATE TABLE `tokens` (
  `id` varchar(16) NOT NULL,
  `name` varchar(255) NOT NULL,
  `owner` varchar(255) NOT NULL,
  `hash` varchar(64) NOT NULL,
  `grants` longtext NOT NULL,
  `made_by` varchar(255) NOT NULL,
  `created_at` double NOT NULL,
  `expires_at` double DEFAULT NULL,
  `used_at` double DEFAULT NULL,
  `revoked_at` double DEFAULT NULL,
  `revoked_by` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_tokens_owner` (`owner`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `tokens` VALUES
('abcdefghijkl','ci','ada','0000000000000000000000000000000000000000000000000000000000000000','[]','database',1796079406.044331,NULL,NULL,NULL,NULL);
CREATE TABLE `workflows` (
  `id` varchar(24) NOT NULL,
  `app_id` varchar(24) NOT NULL,
  `name` varchar(253) NOT NULL,
  `alias` longtext NOT NULL,
  `namespace` varchar(63) NOT NULL,
  `project` longtext NOT NULL,
  `description` longtext NOT NULL,
  `type` varchar(32) NOT NULL,
  `disabled` tinyint(1) NOT NULL,
  `steps` longtext NOT NULL,
  `created_at` double NOT NULL,
  `updated_at` double NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_workflows_app_id_name` (`app_id`,`name`),
  CONSTRAINT `fk_workflows_app_id` FOREIGN KEY (`app_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `workflows` VALUES
('flow-other..............','other...................','deploy','','default','','','',0,'[]',1796079406.382974,1796079406.382974),
('flow-shop...............','shop....................','deploy','','default','','','',0,'[]',1796079406.06093,1796079406.06093),
('flow-third..............','third...................','deploy','','default','','','',0,'[]',1796079406.566124,1796079406.566124);
CREATE TABLE `write_probes` (
  `id` varchar(24) NOT NULL,
  `filler` longtext NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `writes` (
  `token` varchar(64) NOT NULL,
  `task_id` varchar(24) NOT NULL,
  `seq` int(11) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `base_version` varchar(64) DEFAULT NULL,
  `answer` longtext DEFAULT NULL,
  `created_at` double NOT NULL,
  `answered_at` double DEFAULT NULL,
  `job_seq` int(11) DEFAULT NULL,
  PRIMARY KEY (`token`),
  KEY `ix_writes_task_id_seq` (`task_id`,`seq`),
  KEY `ix_writes_base_version` (`base_version`),
  CONSTRAINT `fk_writes_task_id_seq` FOREIGN KEY (`task_id`, `seq`) REFERENCES `resources` (`task_id`, `seq`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `writes` VALUES
('other-1..................1','other-1.................',1,'create',NULL,NULL,1796079407.194619,NULL,NULL),
('shop-1...................1','shop-1..................',1,'create',NULL,NULL,1796079407.168609,NULL,NULL),
('third-1..................1','third-1.................',1,'create',NULL,NULL,1796079407.21754,NULL,NULL);
