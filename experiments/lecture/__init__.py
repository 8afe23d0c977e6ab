"""Pictures and animations for the class of docs/lecture.md."""
