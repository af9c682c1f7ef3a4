// Linux' headers of Xen's devices, which expect two types of Xen's own to be there.
#pragma once

#include <cstdint>

using grant_ref_t = std::uint32_t;
using domid_t = std::uint16_t;

#include <xen/evtchn.h>
#include <xen/gntalloc.h>
#include <xen/gntdev.h>
