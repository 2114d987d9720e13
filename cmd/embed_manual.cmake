# Writes a C++ file that holds the pages of the manual: cmake -DFOLDER=manual -DPAGES="a.md;b/c.md" -DOUTPUT=manual.cpp -P …
set(rows "")
foreach(page ${PAGES})
  string(REGEX REPLACE "\\.md$" "" subject ${page})
  file(READ ${FOLDER}/${page} text)
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
