"""From manifests and a workflow to ordered stages of jobs. Pure."""

from kubemin.plan.make import make_plan
from kubemin.plan.model import Hold, Job, Plan, Portion, Stage, hook_of_others

__all__ = ["Hold", "Job", "Plan", "Portion", "Stage", "hook_of_others", "make_plan"]
