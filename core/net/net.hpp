/// All of the library gather::net in one include: HTTP on gather::async's loop. Installed as
/// <gather/net.hpp>.
#pragma once

#include "core/net/client.hpp"
#include "core/net/download.hpp"
#include "core/net/request.hpp"
#include "core/net/session.hpp"
