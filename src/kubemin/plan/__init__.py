"""From manifests and a workflow to ordered stages of jobs. Pure."""

from kubemin.plan.describe import describe
from kubemin.plan.make import make_plan
from kubemin.plan.model import PRIORITIES, Job, Plan, Stage, priority_of

__all__ = ["PRIORITIES", "Job", "Plan", "Stage", "describe", "make_plan", "priority_of"]
