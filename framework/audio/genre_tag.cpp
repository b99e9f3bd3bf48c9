#include "framework/audio/genre_tag.h"

#include <fileref.h>
#include <id3v2header.h>
#include <id3v2tag.h>
#include <mpegfile.h>
#include <tag.h>
#include <tbytevectorstream.h>
#include <wavfile.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "framework/audio/decoder.h"
#include "framework/io/atomic_file.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

// ID3v2.4 would replace ID3v2.3, which some players need, and an ID3v1 tag would appear.
bool save_mpeg(TagLib::MPEG::File& file) {
  const bool is_v3 = file.hasID3v2Tag() && file.ID3v2Tag()->header()->majorVersion() < 4;
  const int tags = TagLib::MPEG::File::ID3v2 | (file.hasID3v1Tag() ? TagLib::MPEG::File::ID3v1 : 0) |
                   (file.hasAPETag() ? TagLib::MPEG::File::APE : 0);
  return file.save(tags, TagLib::File::StripNone, is_v3 ? TagLib::ID3v2::v3 : TagLib::ID3v2::v4,
                   TagLib::File::DoNotDuplicate);
}

std::string with_genre(const std::string& bytes, const std::string& genre, const std::string& name) {
  TagLib::ByteVectorStream stream(TagLib::ByteVector(bytes.data(), static_cast<unsigned>(bytes.size())));
  {
    TagLib::FileRef file(&stream, false);
    if (file.isNull() || !file.tag()) {
      fail("{} cannot be tagged: TagLib writes no tags of its format; convert it, e.g. to FLAC", name);
    }
    auto* const mpeg = dynamic_cast<TagLib::MPEG::File*>(file.file());
    if (mpeg) mpeg->ID3v2Tag(true);
    const TagLib::String text(genre, TagLib::String::UTF8);
    file.tag()->setGenre(text);
    // WAV has two kinds of tags, and many programs read only the older one.
    if (auto* const wav = dynamic_cast<TagLib::RIFF::WAV::File*>(file.file())) wav->InfoTag()->setGenre(text);
    if (!(mpeg ? save_mpeg(*mpeg) : file.save())) fail("{} cannot be tagged: TagLib cannot write its tag", name);
  }
  const TagLib::ByteVector& tagged = *stream.data();
  return {tagged.data(), tagged.size()};
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

// A file without a name that holds `bytes`.
std::unique_ptr<std::FILE, CloseFile> temporary_file(std::string_view bytes) {
  std::unique_ptr<std::FILE, CloseFile> file(std::tmpfile());
  if (!file || std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size() || std::fflush(file.get()) != 0) {
    fail("cannot write a temporary file: {}", std::strerror(errno));
  }
  return file;
}

bool have_same_audio(const std::filesystem::path& a, const std::filesystem::path& b) {
  constexpr size_t piece = 1 << 15;
  Decoder first(a), second(b);
  if (first.sample_rate() != second.sample_rate()) return false;
  std::vector<float> x(piece), y(piece);
  size_t in_x = 0, in_y = 0;
  while (true) {
    const size_t count = first.read(x);
    for (in_x = count, in_y = 0; in_y < in_x;) {
      const size_t got = second.read(std::span(y).subspan(in_y, in_x - in_y));
      if (got == 0) return false;
      in_y += got;
    }
    if (count == 0) return second.read(y) == 0;
    if (!std::equal(x.begin(), x.begin() + static_cast<int64_t>(count), y.begin())) return false;
    if (first.channels() != second.channels()) return false;
  }
}

}  // namespace

void write_genre(const std::filesystem::path& source, const std::filesystem::path& target, const std::string& genre) {
  constexpr size_t longest = size_t{1} << 31;  // TagLib counts bytes in 32 bits
  const std::string name = source.string();
  const std::string bytes = read_file(source);
  if (bytes.size() >= longest) fail("{} cannot be tagged: it has 2 GiB or more", name);
  const std::string tagged = with_genre(bytes, genre, name);
  const auto copy = temporary_file(tagged);
  if (!have_same_audio(source, fmt::format("/proc/self/fd/{}", fileno(copy.get())))) {
    fail("{} is not tagged, because its audio would change; convert it, e.g. to FLAC", name);
  }
  write_file_atomically(target, tagged);
}

}  // namespace melgrad
