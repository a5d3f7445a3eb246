"""How are model calls, tools and agents declared and recorded?"""
