# refuse.py NUMBER,NUMBER... PROGRAM [ARG...]: runs the program under a seccomp filter
# (x86_64) that refuses those system calls with EPERM; clone3 with ENOSYS, as docker's
# does, which makes the C library take clone.
import ctypes, errno, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
code = [(0x20, 0, 0, 0)]  # the number
for number in map(int, sys.argv[1].split(",")):
    code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | (errno.ENOSYS if number == 435 else errno.EPERM))]
code += [(0x06, 0, 0, 0x7FFF0000)]
text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
program = Program(len(code), ctypes.addressof(text))
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0  # PR_SET_SECCOMP
os.execvp(sys.argv[2], sys.argv[2:])
