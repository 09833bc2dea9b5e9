// What the page says, in its two languages. Codes and states of the API stay as they are.

const WORDS = {
  en: {
    applications: "Applications",
    tasks: "Tasks",
    plan: "Plan",
    operations: "Operations",
    loading: "Loading …",
    noApplications: "There are no applications yet.",
    name: "Name",
    namespace: "Namespace",
    components: "Components",
    changed: "Changed",
    notFound: "There is no such page.",
    stale: "The server does not answer: what you see may be old. It is asked again.",
    search: "Search",
  },
  zh: {
    applications: "应用",
    tasks: "任务",
    plan: "计划",
    operations: "运维",
    loading: "加载中…",
    noApplications: "还没有应用。",
    name: "名称",
    namespace: "命名空间",
    components: "组件",
    changed: "更改时间",
    notFound: "没有这个页面。",
    stale: "服务器没有响应：显示的内容可能已过期，正在重试。",
    search: "搜索",
  },
};

export const language = (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";

export function say(key, ...values) {
  let text = WORDS[language][key] ?? WORDS.en[key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  values.forEach((value, place) => {
    text = text.replaceAll(`{${place}}`, value);
  });
  return text;
}
