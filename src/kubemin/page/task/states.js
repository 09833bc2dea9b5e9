// What the states of a task, its jobs and its journal mean. Pure.

export const ENDED = new Set(["completed", "skipped", "failed", "timeout", "cancelled"]);
export const OVER = new Set(["completed", "failed", "timeout", "cancelled", "reject"]);
const UNDER_WAY = new Set(["pending", "running"]);
const AS_IT_WAS = new Set(["deleted", "restored", "unchanged"]);
const NOT_AS_IT_WAS = new Set(["kept", "lost"]);
const NOT_DONE = new Set(["incomplete", "abandoned"]);

export const isOver = (status) => OVER.has(status.status);
export const isUndoing = (status) => isOver(status) && UNDER_WAY.has(status.cleanup.state);
export const isSettled = (status) => isOver(status) && !UNDER_WAY.has(status.cleanup.state);
// Whether the cluster is being put back, or was.
export const goesBack = (status) => isOver(status) && status.status !== "completed" && status.cleanup.state !== "none";

// Whether a rollback has something to do with it: not where the task only found what it needed.
export const isToPutBack = (row) => row.purpose === "apply" && row.state !== "observed";
export const isRolledBack = (row) => AS_IT_WAS.has(row.state);

// Whether an object is not as it was: it is kept or lost, or left over by a rollback that ended.
export function isAmber(row, status) {
  if (NOT_AS_IT_WAS.has(row.state)) return true;
  return goesBack(status) && NOT_DONE.has(status.cleanup.state) && isToPutBack(row) && !isRolledBack(row);
}

// A component's state from those of its jobs, by the same rule as the server's (api/progress.py).
export function stateOf(jobs, status) {
  const states = new Set(jobs.map((job) => job.status));
  for (const worst of ["failed", "timeout", "cancelled"]) if (states.has(worst)) return worst;
  if (jobs.every((job) => job.status === "completed" || job.status === "skipped")) return "completed";
  if (isOver(status)) return status.status;
  if (states.has("running") || states.has("completed") || states.has("skipped")) return "running";
  if (states.has("prepare")) return "prepare";
  return status.status === "waiting" ? "waiting" : "queued";
}

// What became of an object: one or two states of the journal, the first being what the task had done.
export function fateOf(row) {
  if (!row) return [];
  if (row.purpose === "apply" && row.state === "deleted") return ["created", "deleted"];
  if (row.purpose === "apply" && row.state === "restored") return ["changed", "restored"];
  return [row.state];
}

// What a cancel would do to each object that the task has touched: {deleted, restored, unsure, stays}.
export function cancelPreview(rows, restore) {
  const found = { deleted: [], restored: [], unsure: [], stays: [] };
  for (const row of rows) {
    if (row.purpose !== "apply") continue; // nothing was done to it yet, or it is another's
    if (row.state === "created") found.deleted.push(row);
    else if (row.state === "changed") found[restore ? "restored" : "stays"].push(row);
    else if (row.state === "intent") found.unsure.push(row);
  }
  return found;
}
