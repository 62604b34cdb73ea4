#include "sapwood/bundle/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "sapwood/base/error.h"

namespace sapwood {

std::string sha256(Bytes bytes) {
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw UnsupportedError("the system's OpenSSL does not give SHA-256");
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace sapwood
