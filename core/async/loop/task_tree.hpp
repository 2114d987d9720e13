/// What every task waits for, as text: for "why does it hang?".
#pragma once

#include <string>

namespace gather::async {

class AnyTask;
class Loop;

/// The unfinished tasks of `loop` as a tree: under each task its coroutines, the outermost first, each with
/// the place where it waits; under those the tasks that it waits for. asyncio's `pstree`. Lines end in "\n".
///
/// Call it on the loop's thread. Where a function was compiled without its name, the place alone is shown.
std::string describe_tasks(const Loop& loop);

/// The same for one task, without those that it waits for: asyncio's format_call_graph.
std::string describe_task(const AnyTask& task);

}  // namespace gather::async
