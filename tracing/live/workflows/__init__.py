"""What does the plugin see of workflows, and which spans does it make of that?"""
