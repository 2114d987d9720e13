# Writes a C++ file that holds the pages of the manual: cmake -DPAGES="a.md;b.md" -DOUTPUT=manual.cpp -P embed_manual.cmake
set(rows "")
foreach(page ${PAGES})
  get_filename_component(subject ${page} NAME_WE)
  file(READ ${page} text)
  string(APPEND rows "    {\"${subject}\", R\"~page~(${text})~page~\"},\n")
endforeach()
list(LENGTH PAGES count)
file(WRITE ${OUTPUT} "#include \"cmd/manual.hpp\"

#include <array>

namespace gather::cmd {
namespace {

constexpr std::array<ManualPage, ${count}> pages{{
${rows}}};

}  // namespace

std::span<const ManualPage> manual_pages() { return pages; }

}  // namespace gather::cmd
")
