// CRC-32C, the checksum of TFRecord files.
#pragma once

#include <cstdint>
#include <string_view>

namespace melgrad {

// The cyclic redundancy check with Castagnoli's polynomial 0x1EDC6F41 (RFC 3720, section 12.1 and appendix B.4).
uint32_t crc32c(std::string_view bytes);

}  // namespace melgrad
