#include "kernels/device/control_groups.h"

#include <fstream>
#include <sstream>

namespace melgrad {
namespace {

namespace fs = std::filesystem;

using Visit = std::function<void(const fs::path& group, ControlGroups)>;

void visit_levels(const fs::path& mount, fs::path group, ControlGroups version, const Visit& visit) {
  while (true) {
    visit(mount / group.relative_path(), version);
    if (!group.has_relative_path()) return;
    group = group.parent_path();
  }
}

bool lists(const std::string& controllers, const std::string& wanted) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == wanted) return true;
  }
  return false;
}

}  // namespace

void for_each_control_group(const fs::path& root, const std::string& controller, const Visit& visit) {
  const fs::path mount = root / "sys/fs/cgroup";
  std::ifstream groups(root / "proc/self/cgroup");
  // Lines are hierarchy:controllers:path; version 2 has hierarchy 0 and no controllers.
  for (std::string hierarchy, controllers, path;
       std::getline(groups, hierarchy, ':') && std::getline(groups, controllers, ':') && std::getline(groups, path);) {
    if (controllers.empty()) visit_levels(mount, path, ControlGroups::version_2, visit);
    if (lists(controllers, controller)) {
      visit_levels(mount / controllers, path, ControlGroups::version_1, visit);
      if (controllers != controller) visit_levels(mount / controller, path, ControlGroups::version_1, visit);
    }
  }
}

}  // namespace melgrad
