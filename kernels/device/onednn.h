// What the kernels that call oneDNN share.
#pragma once

namespace melgrad::kernel {

// oneDNN writes machine code for each shape when it is first met, and where there is no memory for it some versions run
// into a null pointer. So before they do: throws std::bad_alloc unless there is room to spare.
void require_room_for_code();

}  // namespace melgrad::kernel
