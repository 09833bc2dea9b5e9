// What codes of the API mean, in Chinese; the server's own words are English, and name what it is about.

import { language } from "./words.js";

const ERRORS = {
  400: "请求无效",
  401: "服务器无法识别请求者的身份",
  403: "服务器不允许此操作",
  404: "没有这个资源",
  405: "服务器无法执行此操作",
  408: "请求未及时到达",
  409: "现在无法执行此操作",
  413: "请求过大",
  415: "服务器不支持这种内容类型",
  421: "请求的是另一台服务器",
  429: "短时间内请求过多",
  500: "服务器内部错误",
  501: "服务器尚不支持此操作",
  503: "服务器不可用",
  507: "服务器的磁盘已满",
  10000: "应用无效",
  10001: "组件没有镜像",
  10003: "已有这个应用",
  10005: "没有这个应用",
  10006: "没有这个版本",
  10010: "无法使用该模板",
  10020: "应用无效",
  10021: "名称无效",
  10022: "特性（trait）无效",
  10023: "缺少字段",
  10024: "存储特性（trait）无效",
  10025: "探针无效",
  10026: "特性（trait）不能嵌套在此特性中",
  10027: "没有这个组件",
  10028: "两个组件同名",
  20000: "工作流无效",
  20001: "已有这个工作流",
  20005: "没有这个工作流",
  20006: "没有这个任务",
  20010: "任务已结束",
  20011: "应用有任务正在进行",
  20012: "取消信号未能传达",
  20013: "制定计划的依据已改变",
  30001: "无法访问集群",
};

const MISTAKES = {
  MISSING_REQUIRED_FIELD: "缺少字段",
  NAME_TOO_SHORT: "名称过短",
  NAME_TOO_LONG: "名称过长",
  INVALID_NAME_FORMAT: "名称无效",
  DUPLICATE_COMPONENT: "两个组件同名",
  INVALID_COMPONENT_TYPE: "没有这个组件类型",
  MISSING_IMAGE: "组件没有镜像",
  INVALID_STORAGE_TYPE: "没有这个存储类型",
  INVALID_STORAGE_SIZE: "存储大小无效",
  INVALID_PROBE_TYPE: "没有这个探针类型",
  INVALID_PROBE_CONFIG: "探针无效",
  NESTED_TRAIT_FORBIDDEN: "特性（trait）不能嵌套在此特性中",
  MISSING_RBAC_RULES: "rbac 特性没有规则",
  MISSING_RBAC_VERBS: "rbac 规则没有 verbs",
  MISSING_INGRESS_ROUTES: "ingress 特性没有路由",
  MISSING_SERVICE_NAME: "路由没有 Service",
  INVALID_ENV_FROM_TYPE: "没有这个 envFrom 类型",
  INVALID_ENV_VALUE_SOURCE: "变量的来源无效",
  INVALID_TRAIT_CONFIG: "特性（trait）无效",
  DUPLICATE_WORKFLOW_STEP: "两个步骤同名",
  COMPONENT_NOT_FOUND: "没有这个组件",
  UNKNOWN_FIELD: "没有这个字段",
  INVALID_FIELD_VALUE: "值无效",
  TOO_MANY_COMPONENTS: "组件过多",
  DUPLICATE_OBJECT: "两个对象的类别和名称相同",
  TEMPLATE_NOT_FOUND: "没有这个模板",
  NOT_ALLOWED: "此处不允许",
};

const WARNINGS = {
  COMPONENT_IN_NO_STEP: "组件不在任何步骤中",
  HELM_HOOK: "Helm 的钩子在这里含义不同",
  NOT_IN_APPLICATION: "没有组件创建所引用的对象",
  UNKNOWN_HOST: "变量指向不存在的主机",
  UNFILLED_VARIABLE: "值中的变量没有被填入",
  UNPINNED_IMAGE: "镜像可能改变",
  AUTOSCALER_OFF: "自动扩缩器不起作用",
  DISRUPTION_BUDGET_NEVER_LETS_GO: "中断预算不允许任何 Pod 离开",
  CLAIMS_DELETED: "存储卷声明会连同数据一起被删除",
};

const ADVICE = {
  IMAGE_PULL: "请检查镜像的名称和标签，以及节点是否有权拉取（imagePullSecrets）。",
  CRASH_LOOP: "请查看容器的日志，并修正其命令、配置或镜像。",
  UNSCHEDULABLE: "没有节点可以调度该 Pod：请减少资源请求、增加节点，或修改选择器和容忍度。",
  QUOTA: "请减少资源请求，或提高命名空间的 ResourceQuota 或 LimitRange。",
  POLICY: "请修改策略或准入 Webhook 指出的内容，或联系其维护者。",
  CONFIG_MISSING: "请创建所指出的对象（ConfigMap、Secret、键、服务账号、角色），或更正其名称。",
  FETCH: "请检查从工作进程所在之处访问 config.url 时是否返回 200 和文本。",
  VOLUME: "请检查存储卷声明：其存储类、大小，以及能否为其制备存储卷。",
  JOB_FAILED: "请查看 Job 的 Pod 的日志，并修正其命令，或允许更多重试。",
  STALLED: "请查看该对象的状态及其控制器的日志，并修正该对象或其就绪规则。",
  DEADLINE: "请延长对象自身的期限，或从现场信息中查明耗时过长的原因。",
  TIMEOUT: "原因中写明了它在等待什么；如果只是较慢，请给它更多时间。",
  NO_ACTIVITY: "原因中写明了它在等待什么；如果这样的停顿属于正常，请增大 noActivitySeconds。",
  RIGHTS: "请授予所指出的用户该权限（KubeMin 的账号见 deploy/rbac.yaml），或提供有效的凭据。",
  CONFLICT: "请改用其他名称，或与拥有或更改该对象的人协商。",
  PLAN_CHANGED: "请重新生成计划并查看：制定计划的依据此后已改变。",
  INVALID: "请修改原因中指出的字段或对象：无法按应用所写的那样设置。",
  NAMESPACE: "请创建命名空间（可使用 createNamespace），或等待其删除结束。",
  UNREACHABLE: "请检查 API 服务器及其网络，然后再次运行。",
  WORKER_LOST: "请检查工作进程：它们在运行此任务时意外结束（内存、节点）。",
  UNREADABLE: "请为工作进程提供所指的密钥，或恢复数据库；然后重新运行。",
  INTERNAL: "这是 KubeMin 的缺陷：请附上工作进程的日志进行报告。",
};

const first = (meaning, said) => (language === "zh" && meaning ? `${meaning}：${said}` : said);

// What went wrong: a `ServerError`, or a fault of the page's own.
export const told = ({ code, message }) => first(ERRORS[code] && `${ERRORS[code]}（${code}）`, message);

// What is wrong with a field of an application.
export const mistake = ({ code, message }) => first(MISTAKES[code], message);

// What is allowed in an application, and probably not meant.
export const warning = ({ code, message }) => first(WARNINGS[code], message);

// What to do about a failure of this code.
export const advice = (code, said) => (language === "zh" && ADVICE[code]) || said;
