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
  UNIQUE KEY `uq_applications_namespace_name` (`namespace`,`name`),
  KEY `ix_applications_updated_at_id` (`updated_at`,`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `applications` VALUES
('other...................','default','other','Läden 🛒','','','','',0,NULL,1796050432.458447,1796050432.458447),
('shop....................','default','shop','Läden 🛒','','','','',0,NULL,1796050432.430406,1796050432.430406),
('third...................','default','third','Läden 🛒','','','','',0,NULL,1796050432.476276,1796050432.476276);
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
('other...................','web',0,'{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}',1796050432.462805,1796050432.462805),
('shop....................','web',0,'{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}',1796050432.437615,1796050432.437615),
('third...................','web',0,'{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}',1796050432.479156,1796050432.479156);
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
(1,'shop-1..................','task','{\"status\":\"running\"}',1796050432.544868),
(2,'other-1.................','task','{\"status\":\"running\"}',1796050432.749866),
(3,'third-1.................','task','{\"status\":\"running\"}',1796050432.762252);
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
  `name` varchar(317) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
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
('other-1.................',1,1,'v1','ConfigMap','default','other','apply','created','uid-other',NULL,NULL,NULL,'',1796050432.7477,1796050432.74921,NULL,NULL,NULL,'other...................'),
('shop-1..................',1,1,'v1','ConfigMap','default','shop','apply','created','uid-shop',NULL,NULL,NULL,'',1796050432.524789,1796050432.538528,NULL,NULL,NULL,'shop....................'),
('third-1.................',1,1,'v1','ConfigMap','default','third','apply','created','uid-third',NULL,NULL,NULL,'',1796050432.760538,1796050432.761522,NULL,NULL,NULL,'third...................');
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
('other...................',1,'cancelled','{\"name\":\"other\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','other-1.................','{}','{}','{}',0,1796050432.466137),
('other...................',2,'pending','{\"name\":\"other\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','other-2.................','{}','{}','{}',0,1796050432.470405),
('shop....................',1,'current','{\"name\":\"shop\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','shop-1..................','{}','{}','{}',0,1796050432.447399),
('shop....................',2,'pending','{\"name\":\"shop\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','shop-2..................','{}','{}','{}',0,1796050432.4533),
('third...................',1,'pending','{\"name\":\"third\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','third-1.................','{}','{}','{}',0,1796050432.481506),
('third...................',2,'pending','{\"name\":\"third\",\"component\":[{\"name\":\"web\",\"type\":\"webservice\",\"image\":\"web:1\",\"properties\":{\"env\":{\"a\":\"1\"}}}]}','rolling','why','ada','third-2.................','{}','{}','{}',0,1796050432.486442);
CREATE TABLE `sealing_keys` (
  `id` varchar(32) NOT NULL,
  `proof` longtext NOT NULL,
  `complete` tinyint(1) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `shares` (
  `name` varchar(253) NOT NULL,
  `task_id` varchar(24) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `shares` VALUES
('lock','shop-1..................');
CREATE TABLE `tasks` (
  `seq` bigint(20) NOT NULL AUTO_INCREMENT,
  `id` varchar(24) NOT NULL,
  `app_id` varchar(24) NOT NULL,
  `app_name` varchar(253) NOT NULL,
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
  `cancel_requested_at` double DEFAULT NULL,
  `cancel_cleanup` varchar(16) DEFAULT NULL,
  `caller` varchar(255) NOT NULL,
  `idempotency_key` varchar(255) DEFAULT NULL,
  `body_hash` longtext DEFAULT NULL,
  `options` longtext NOT NULL,
  `spec` longtext NOT NULL,
  `plan` longtext DEFAULT NULL,
  `revision` int(11) DEFAULT NULL,
  `promoted_hold` int(11) NOT NULL,
  `attempt` int(11) NOT NULL,
  `active_app` varchar(24) DEFAULT NULL,
  `lease_owner` varchar(255) DEFAULT NULL,
  `lease_epoch` int(11) NOT NULL,
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
  KEY `ix_tasks_status_app_id_seq` (`status`,`app_id`,`seq`),
  KEY `ix_tasks_status_seq` (`status`,`seq`),
  KEY `ix_tasks_cleanup_app_id` (`cleanup`,`app_id`),
  KEY `ix_tasks_app_id_seq` (`app_id`,`seq`),
  KEY `ix_tasks_workflow_id_seq` (`workflow_id`,`seq`),
  KEY `ix_tasks_lease_expires_at` (`lease_expires_at`),
  KEY `ix_tasks_next_cleanup_at` (`next_cleanup_at`)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `tasks` VALUES
(1,'shop-1..................','shop....................','shop','flow....................','flow','deploy','completed','',NULL,'none','',0,NULL,NULL,NULL,NULL,'ada',NULL,NULL,'{}','{\"of\":\"shop-1\"}','{\"stages\":[]}',1,0,1,NULL,NULL,1,NULL,1796050432.501248,1796050432.450846,1796050432.513917,1796050432.618429,1796050432.618429),
(2,'shop-2..................','shop....................','shop','flow....................','flow','deploy','waiting','',NULL,'none','',0,NULL,NULL,NULL,NULL,'ada',NULL,NULL,'{}','{\"of\":\"shop-2\"}','{\"stages\":[]}',2,0,0,NULL,NULL,0,NULL,NULL,1796050432.454651,NULL,NULL,1796050432.454651),
(3,'other-1.................','other...................','other','flow....................','flow','deploy','cancelled','wrong version',NULL,'pending','',0,NULL,'ada',1796050432.751586,NULL,'ada',NULL,NULL,'{}','{\"of\":\"other-1\"}','{\"stages\":[]}',1,0,1,'other...................','worker',1,1796054032.642398,1796050432.642398,1796050432.468382,1796050432.733859,1796050432.751586,1796050432.751586),
(4,'other-2.................','other...................','other','flow....................','flow','deploy','waiting','',NULL,'none','',0,NULL,NULL,NULL,NULL,'ada',NULL,NULL,'{}','{\"of\":\"other-2\"}','{\"stages\":[]}',2,0,0,NULL,NULL,0,NULL,NULL,1796050432.475332,NULL,NULL,1796050432.475332),
(5,'third-1.................','third...................','third','flow....................','flow','deploy','running','',NULL,'none','',0,NULL,NULL,NULL,NULL,'ada',NULL,NULL,'{}','{\"of\":\"third-1\"}','{\"stages\":[]}',1,0,1,'third...................','worker',1,1796054032.757634,1796050432.757634,1796050432.482419,1796050432.759434,NULL,1796050432.759434),
(6,'third-2.................','third...................','third','flow....................','flow','deploy','waiting','',NULL,'none','',0,NULL,NULL,NULL,NULL,'ada',NULL,NULL,'{}','{\"of\":\"third-2\"}','{\"stages\":[]}',2,0,0,NULL,NULL,0,NULL,NULL,1796050432.487431,NULL,NULL,1796050432.487431);
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
('flow-other..............','other...................','deploy','','default','','','',0,'[]',1796050432.459885,1796050432.459885),
('flow-shop...............','shop....................','deploy','','default','','','',0,'[]',1796050432.433201,1796050432.433201),
('flow-third..............','third...................','deploy','','default','','','',0,'[]',1796050432.477024,1796050432.477024);
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
('other-1..................1','other-1.................',1,'create',NULL,NULL,1796050432.748545,NULL,NULL),
('shop-1...................1','shop-1..................',1,'create',NULL,NULL,1796050432.527488,NULL,NULL),
('third-1..................1','third-1.................',1,'create',NULL,NULL,1796050432.761123,NULL,NULL);
