// Turns what the XDP libraries print on standard error into our debug log: at any other level their
// warnings (no bpffs, unknown ELF sections) are noise, and a real failure gets our own sentence.
#pragma once

// Before the first port is opened. Main thread.
void td_hush_libraries(void);
