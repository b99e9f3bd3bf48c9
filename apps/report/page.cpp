#include "apps/report/page.h"

#include <report_page_files.h>

#include <set>

#include "apps/report/answer.h"
#include "apps/report/run_section.h"
#include "apps/report/template_data.h"
#include "apps/version.h"

namespace melgrad {
namespace {

using nlohmann::json;

constexpr size_t most_findings = 50;

json data_section(const CheckedData& data) {
  FactList facts;
  facts.add("tracks", fmt::format("{} in {} classes", data.tracks, data.labels));
  if (data.groups > 0)
    facts.add("groups", fmt::format("{} (artists): the tracks of one are on the same side of the split", data.groups));
  json section{{"path", data.path}, {"checked", data.checkup.has_value()}, {"findings", json::array()}};
  if (data.checkup) {
    double seconds = 0;
    for (const AudioSurvey& survey : data.checkup->surveys) seconds += survey.seconds;
    facts.add("length",
              fmt::format("{} in all, median {:.1f} s", time_text(seconds), median_seconds(data.checkup->surveys)));
    std::vector<std::string> rates;
    for (const auto& [rate, tracks] : tracks_of_rate(data.checkup->surveys))
      rates.push_back(fmt::format("{} Hz: {}", rate, tracks));
    facts.add("sample rates", fmt::format("{}", fmt::join(rates, ", ")));
    for (const FindingKind& kind : finding_kinds()) {
      json lines = json::array();
      size_t found = 0;
      for (const Finding& finding : data.checkup->findings) {
        if (finding.kind == kind.name && ++found <= most_findings) lines.push_back(finding.detail);
      }
      if (found == 0) continue;
      if (found > most_findings)
        lines.push_back(fmt::format("and {} more: melgrad check --json lists all", found - most_findings));
      section["findings"].push_back({{"title", std::string(kind.title)},
                                     {"remedy", std::string(kind.remedy)},
                                     {"count", found},
                                     {"lines", std::move(lines)}});
    }
  }
  for (const std::string& warning : data.warnings) facts.add("left out", warning);
  section["facts"] = facts.take();
  return section;
}

std::string title_of(const std::vector<RunResults>& runs) {
  if (runs.size() == 1) return runs[0].name;
  std::vector<std::string> names;
  for (const RunResults& run : runs) names.push_back(run.name);
  return names.size() <= 3 ? fmt::format("{}", fmt::join(names, " · ")) : fmt::format("{} runs", names.size());
}

std::string data_name(const std::filesystem::path& path) {
  const std::filesystem::path normal = path.lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

std::string subtitle_of(const std::vector<RunResults>& runs) {
  std::set<std::string> models, data;
  for (const RunResults& run : runs) {
    models.insert(run.card.model);
    data.insert(data_name(run.source.data));
  }
  return fmt::format("{} on {}, {} classes", fmt::join(models, ", "), fmt::join(data, ", "),
                     runs[0].card.labels.size());
}

}  // namespace

std::string report_page(const std::vector<RunResults>& runs, const std::vector<CheckedData>& data,
                        const std::filesystem::path& folder) {
  json page{{"title", title_of(runs)},
            {"subtitle", subtitle_of(runs)},
            {"style", html(report_style)},
            {"script", html(report_script)},
            {"has_comparison", runs.size() > 1},
            {"made_by", "Made by " + version_line() + "."},
            {"runs", json::array()},
            {"data", json::array()}};
  add_answer(page, runs);
  for (size_t i = 0; i < runs.size(); ++i) page["runs"].push_back(run_section(runs, i, folder));
  for (const CheckedData& one : data) page["data"].push_back(data_section(one));
  return render_template(report_template, page);
}

}  // namespace melgrad
