#include "framework/io/event_record.h"

#include <protozero/pbf_builder.hpp>

#include "framework/io/crc32c.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

using Tag = protozero::pbf_tag_type;

enum class EventField : Tag { wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7 };
enum class SessionLogField : Tag { status = 1 };
enum class SummaryField : Tag { value = 1 };
enum class SummaryValueField : Tag { tag = 1, simple_value = 2, image = 4, metadata = 9 };
enum class ImageField : Tag { height = 1, width = 2, colorspace = 3, encoded = 4 };
enum class MetadataField : Tag { plugin_data = 1 };
enum class PluginDataField : Tag { plugin_name = 1, content = 2 };
enum class HparamsField : Tag { version = 1, session_start = 3, session_end = 4 };
enum class SessionStartField : Tag { hparams = 1, start_time = 5 };
enum class SessionEndField : Tag { status = 1, end_time = 2 };
enum class MapEntryField : Tag { key = 1, value = 2 };
enum class AnyValueField : Tag { number = 2, text = 3, boolean = 4 };  // google.protobuf.Value

template <class Field>
using Message = protozero::pbf_builder<Field>;

std::string little_endian(uint64_t value, size_t width) {
  std::string bytes;
  for (size_t i = 0; i < width; ++i) bytes += static_cast<char>(value >> 8 * i & 0xFF);
  return bytes;
}

std::string masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return little_endian((crc >> 15 | crc << 17) + uint32_t{0xA282EAD8}, 4);
}

// An event with a message in one of its fields.
std::string event_record(double time, int64_t step, EventField field, const std::string& message) {
  std::string event;
  Message<EventField> builder(event);
  builder.add_double(EventField::wall_time, time);
  builder.add_int64(EventField::step, step);
  builder.add_bytes(field, message);
  return tf_record(event);
}

// The width and the height in the header of a PNG file.
std::pair<int64_t, int64_t> size_of_png(const std::string& png) {
  MELGRAD_CHECK(png.size() >= 24 && png.compare(12, 4, "IHDR") == 0, "{} bytes are no PNG file", png.size());
  const auto number = [&png](size_t position) {
    int64_t value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(png[position + i]);
    return value;
  };
  return {number(16), number(20)};
}

// A value without a number, for the plugin of hyperparameters.
std::string hparams_record(double time, int64_t step, const char* tag, HparamsField field, const std::string& message) {
  std::string content;
  Message<HparamsField> data(content);
  data.add_int32(HparamsField::version, 0);
  data.add_message(field, message);
  std::string summary;
  {
    Message<SummaryField> builder(summary);
    Message<SummaryValueField> value(builder, SummaryField::value);
    value.add_string(SummaryValueField::tag, tag);
    Message<MetadataField> metadata(value, SummaryValueField::metadata);
    Message<PluginDataField> plugin(metadata, MetadataField::plugin_data);
    plugin.add_string(PluginDataField::plugin_name, "hparams");
    plugin.add_bytes(PluginDataField::content, content);
  }
  return event_record(time, step, EventField::summary, summary);
}

}  // namespace

std::string tf_record(std::string_view data) {
  const std::string length = little_endian(data.size(), 8);
  return length + masked_crc(length) + std::string(data) + masked_crc(data);
}

std::string version_record(double time) { return event_record(time, 0, EventField::file_version, "brain.Event:2"); }

std::string session_start_record(double time, int64_t step) {
  constexpr int32_t start = 1;
  std::string log;
  Message<SessionLogField>(log).add_enum(SessionLogField::status, start);
  return event_record(time, step, EventField::session_log, log);
}

std::string scalars_record(double time, int64_t step, const NamedNumbers& scalars) {
  std::string summary;
  Message<SummaryField> builder(summary);
  for (const auto& [name, number] : scalars) {
    Message<SummaryValueField> value(builder, SummaryField::value);
    value.add_string(SummaryValueField::tag, name);
    value.add_float(SummaryValueField::simple_value, static_cast<float>(number));
  }
  return event_record(time, step, EventField::summary, summary);
}

std::string picture_record(double time, int64_t step, const std::string& name, const std::string& png) {
  constexpr int32_t rgb = 3;
  const auto [width, height] = size_of_png(png);
  std::string summary;
  {
    Message<SummaryField> builder(summary);
    Message<SummaryValueField> value(builder, SummaryField::value);
    value.add_string(SummaryValueField::tag, name);
    Message<ImageField> image(value, SummaryValueField::image);
    image.add_int32(ImageField::height, static_cast<int32_t>(height));
    image.add_int32(ImageField::width, static_cast<int32_t>(width));
    image.add_int32(ImageField::colorspace, rgb);
    image.add_bytes(ImageField::encoded, png);
  }
  return event_record(time, step, EventField::summary, summary);
}

std::string settings_record(double time, const NamedSettings& settings) {
  std::string start;
  {
    Message<SessionStartField> builder(start);
    for (const auto& [name, setting] : settings) {
      Message<MapEntryField> entry(builder, SessionStartField::hparams);
      entry.add_string(MapEntryField::key, name);
      Message<AnyValueField> value(entry, MapEntryField::value);
      if (const bool* const boolean = std::get_if<bool>(&setting)) value.add_bool(AnyValueField::boolean, *boolean);
      if (const double* const number = std::get_if<double>(&setting)) value.add_double(AnyValueField::number, *number);
      if (const auto* const text = std::get_if<std::string>(&setting)) value.add_string(AnyValueField::text, *text);
    }
    builder.add_double(SessionStartField::start_time, time);
  }
  return hparams_record(time, 0, "_hparams_/session_start_info", HparamsField::session_start, start);
}

std::string end_record(double time, int64_t step) {
  constexpr int32_t success = 1;
  std::string end;
  Message<SessionEndField> builder(end);
  builder.add_enum(SessionEndField::status, success);
  builder.add_double(SessionEndField::end_time, time);
  return hparams_record(time, step, "_hparams_/session_end_info", HparamsField::session_end, end);
}

}  // namespace melgrad
