/// The keys of a fetch that say what is written, and what must be true of it.
#include "core/job/check_fetch.hpp"

namespace gather::job {

void read_resume(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto resume = reader.boolean(member.value)) draft.fetch.resume = *resume;
}

}  // namespace gather::job
