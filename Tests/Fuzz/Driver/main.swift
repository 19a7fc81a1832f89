import CFuzzTargets
import FuzzTargets
import Glibc

// usage: fuzzer TARGET [what libFuzzer takes]
//        fuzzer models FOLDER      writes the models that the target `archive` changes

/// The target chosen. Set before libFuzzer starts.
nonisolated(unsafe) private var chosen: FuzzTarget?

private func fail(_ text: String) -> Never {
    _ = (text + "\n").withCString { write(2, $0, strlen($0)) }
    exit(2)
}

private func usage() -> Never {
    fail("usage: fuzzer TARGET [OPTIONS OF LIBFUZZER], one of \(FuzzTarget.all.map(\.name))")
}

private func writeModels(to folder: String) {
    for number in 0..<Int32(FUZZ_MODEL_COUNT) {
        var count = 0
        guard let bytes = fuzz_model(number, &count), let file = fopen("\(folder)/model\(number)", "w"),
            fwrite(bytes, 1, count, file) == count, fclose(file) == 0
        else { fail("cannot write to \(folder)") }
    }
    exit(0)
}

private func run(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen?.run(UnsafeBufferPointer(start: bytes, count: count))
    return 0
}

var arguments = CommandLine.arguments
guard arguments.count > 1 else { usage() }
let name = arguments.remove(at: 1)
if name == "models", arguments.count == 2 { writeModels(to: arguments[1]) }
guard let target = FuzzTarget.named(name) else { usage() }
chosen = target
var count = CInt(arguments.count)
var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: arguments.count + 1)
for (index, argument) in arguments.enumerated() { list?[index] = strdup(argument) }
list?[arguments.count] = nil
exit(LLVMFuzzerRunDriver(&count, &list, run))
