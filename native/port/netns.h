#pragma once

#include <functional>
#include <string>

namespace xvif {

/// Runs `task` in the network namespace `name` (of /run/netns; empty: the caller's), on a short-lived thread, so that
/// no other thread's namespace ever changes. What the task opens stays in that namespace. False with a reason in
/// `error` when the namespace cannot be entered.
bool run_in_netns(const std::string& name, std::string& error, const std::function<void()>& task);

}  // namespace xvif
