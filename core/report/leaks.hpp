/// What tasks have left behind, ended or running: lines for the end of a run.
#pragma once

#include "core/job/model.hpp"
#include "core/run/record.hpp"

#include <string>

namespace gather::report {

/// "build and test left processes behind, which were ended", with a newline; at most eight tasks are named.
/// Then a line for each process that runs on, "db has left 4711 running: redis-server". Empty if none did.
std::string leaks(const job::Job& job, const run::Record& record);

}  // namespace gather::report
