// The headers that most kernel tests need.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/arrays.h"
#include "tests/support/compare.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/random.h"
#include "tests/support/repeat.h"
