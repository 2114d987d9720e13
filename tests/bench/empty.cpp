/// Nothing: what any program costs before its first line.
int main() {}
