// A task as it is known: read once, then kept up to date from its events. Who shows a part of it is told of that part
// only, so that one event of 500 components is the work of one.

import { refOf } from "../objects.js";
import { ENDED, isRolledBack, isToPutBack } from "./states.js";

const OTHERS = "others"; // the card of objects that no job writes: namespaces, and what is removed

export class TaskModel {
  constructor() {
    this.status = undefined; // the reply of …/status
    this.jobs = new Map(); // id → job
    this.rows = new Map(); // seq → row of the journal
    this.rowOf = new Map(); // "Kind/namespace/name" → seq
    this.cards = new Map(); // key → {key, component, stage, jobs: [id], rows: [seq]}
    this.cardsOf = new Map(); // "Kind/namespace/name" → {card keys}
    this.columns = []; // [{stage, step, cards: [key]}]
    this.undoing = undefined; // the stage of the rollback, or of the removal
    this.seen = 0; // the last event
    this.begin = undefined; // when its first job began, or else it itself
    this.ahead = 0; // by how many seconds the server's clock is ahead of the browser's
    this.left = { all: 0, done: 0 }; // objects that a rollback is to put back, and those that are
    this.listeners = new Map(); // key → {function}
    this.dirty = new Set();
  }

  // Tells of a part: "head", "columns", "axis", "card <key>", "job <id>".
  on(part, told) {
    const some = this.listeners.get(part) ?? new Set();
    this.listeners.set(part, some.add(told));
    return () => some.delete(told);
  }

  // What the API says of it now. Ready counts and exact times are only in events: they are kept.
  load(status, stages, resources) {
    const former = this.jobs;
    this.status = status;
    this.jobs = new Map();
    this.rows = new Map();
    this.rowOf.clear();
    this.cardsOf.clear();
    this.cards = new Map();
    this.columns = [];
    this.undoing = undefined;
    for (const one of stages.stages) {
      if (one.type === "rollback" || one.type === "removal") this.undoing = one;
      else this.place({ ...one, start: one.startTime, end: one.endTime, ...exact(former.get(one.id), one) });
    }
    for (const row of resources.resources) this.row({ ...row, at: Date.parse(row.at) / 1000 });
    this.columns.sort((one, two) => one.stage - two.stage);
    this.count();
    this.dirty.add("head").add("columns").add("axis");
    for (const key of this.cards.keys()) this.dirty.add(`card ${key}`);
    for (const id of this.jobs.keys()) this.dirty.add(`job ${id}`);
    this.tell();
  }

  place(job) {
    this.jobs.set(job.id, job);
    const key = keyOf(job);
    this.card(key, job.stage, job.step, titleOf(job)).jobs.push(job.id);
    if (!job.ref) return;
    this.cardsOf.set(job.ref, (this.cardsOf.get(job.ref) ?? new Set()).add(key));
  }

  card(key, stage, step, component) {
    if (!this.cards.has(key)) {
      this.cards.set(key, { key, component, jobs: [], rows: [] });
      let column = this.columns.find((one) => one.stage === stage);
      if (!column) this.columns.push((column = { stage, step, cards: [] }));
      column.cards.push(key);
    }
    return this.cards.get(key);
  }

  row(row) {
    const ref = refOf(row);
    const isNew = !this.rows.has(row.seq);
    this.rows.set(row.seq, row);
    if (isNew && !(this.rowOf.has(ref) && row.purpose !== "apply")) this.rowOf.set(ref, row.seq);
    if (isNew && !this.cardsOf.has(ref)) {
      this.card(OTHERS, Infinity, "", "").rows.push(row.seq);
      this.cardsOf.set(ref, new Set([OTHERS]));
      this.dirty.add("columns");
    }
    for (const key of this.cardsOf.get(ref)) {
      this.dirty.add(`card ${key}`);
      for (const id of this.cards.get(key).jobs) if (this.jobs.get(id).ref === ref) this.dirty.add(`job ${id}`);
    }
  }

  // Takes events in, in order; returns whether some of it is to be read again.
  take(events) {
    let again = false;
    for (const { id, type, data } of events) {
      const at = Date.parse(data.at) / 1000;
      const known = id <= this.status.lastEventId; // read already: only what the replies do not have
      this.ahead = Math.max(this.ahead, at - Date.now() / 1000);
      this.seen = Math.max(this.seen, id);
      if (type === "job") again = this.takeJob(data, at, known) || again;
      else if (type === "resource" && !known) this.takeRow(data, at);
      else if (!known) again = this.takeTask(type, data) || again;
    }
    this.count();
    this.tell();
    return again;
  }

  takeJob(data, at, known) {
    const job = this.jobs.get(data.job);
    if (!job) return !known;
    const next = { ...job, ready: data.ready ?? job.ready, desired: data.desired ?? job.desired };
    if (!job.exactStart && data.status !== "queued") Object.assign(next, { start: at, exactStart: true });
    if (ENDED.has(data.status)) Object.assign(next, { end: at, exactEnd: data.status });
    if (!known) {
      next.status = data.status;
      for (const name of ["info", "error", "reasonCode", "advice"]) next[name] = data[name] ?? job[name];
    }
    this.jobs.set(job.id, next);
    this.dirty.add(`job ${job.id}`).add(`card ${keyOf(job)}`).add("head");
    return !known && job.type === "Pause";
  }

  takeRow(data, at) {
    this.row({ ...this.rows.get(data.seq), ...data, at });
    this.dirty.add("head");
  }

  takeTask(type, data) {
    if (type === "task") Object.assign(this.status, { status: data.status, reason: data.reason ?? this.status.reason });
    if (type === "cleanup") this.status.cleanup.state = data.state;
    this.dirty.add("head").add("axis");
    for (const key of this.cards.keys()) this.dirty.add(`card ${key}`); // seldom: a card's state follows the task's
    return true;
  }

  count() {
    let all = 0;
    let done = 0;
    for (const row of this.rows.values()) {
      if (!isToPutBack(row)) continue;
      all += 1;
      if (isRolledBack(row)) done += 1;
    }
    this.left = { all, done };
    let begin = Infinity;
    for (const job of this.jobs.values()) begin = Math.min(begin, job.start ?? Infinity);
    if (!Number.isFinite(begin)) begin = this.status.startTime;
    if (begin !== this.begin) this.dirty.add("axis");
    this.begin = begin;
  }

  tell() {
    const dirty = this.dirty;
    this.dirty = new Set();
    for (const part of dirty) for (const told of this.listeners.get(part) ?? []) told();
  }

  journal(ref) {
    return this.rows.get(this.rowOf.get(ref));
  }

  now() {
    return Date.now() / 1000 + this.ahead;
  }
}

const titleOf = (job) => job.component || job.step; // a pause of the workflow is a step of its own
const keyOf = (job) => `${job.stage} ${titleOf(job)}`;

function exact(former, now) {
  if (!former) return {};
  const { ready, desired, start, exactStart, end, exactEnd } = former;
  const kept = { ready, desired };
  if (exactStart && now.startTime) Object.assign(kept, { start, exactStart });
  if (exactEnd === now.status) Object.assign(kept, { end, exactEnd });
  return kept;
}
