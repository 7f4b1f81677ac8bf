"""The interview itself: stages, push-backs, the rubric, the model answer, what is kept."""
