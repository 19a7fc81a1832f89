import Foundation
import FuzzTargets
import Testing

/// What fuzzers start from and what they found (`Tests/Fuzz/Corpus`), and thousands of inputs that are drawn from it.
///
/// An input that breaks something ends the process, and its name is the last one printed. `scripts/fuzz` searches longer.
@Suite(.serialized)
struct FuzzTests {
    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Corpus")

    /// Inputs drawn for each target: those that fit models take longer.
    private static let drawn = [
        "spec": 1500, "yaml": 1500, "toml": 1500, "csv": 1000, "views": 200, "sparse": 100, "arrow": 150,
    ]

    @Test(
        "every stored input, and changed ones, are an answer or an error",
        arguments: FuzzTarget.all.map(\.name))
    func inputs(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let folder = Self.corpus.appendingPathComponent(name)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(!files.isEmpty)
        let stored = try files.map { Array(try Data(contentsOf: folder.appendingPathComponent($0))) }
        for (file, input) in zip(files, stored) {
            print("fuzz input \(name)/\(file)")
            input.withUnsafeBufferPointer(target.run)
        }
        var changes = InputChanges(stored)
        for number in 0..<(Self.drawn[name] ?? 20) {
            let input = changes.next()
            // What breaks is known by the last line: bytes short enough to be stored as a file.
            if number % 100 == 0 { print("fuzz input \(name), drawn \(number)") }
            input.withUnsafeBufferPointer(target.run)
        }
    }
}

/// Inputs made of others: bytes changed, taken out, doubled, and two inputs joined. The same ones in every run.
private struct InputChanges {
    private let stored: [[UInt8]]
    private var state: UInt64 = 88_172_645_463_325_252

    init(_ stored: [[UInt8]]) { self.stored = stored }

    private mutating func draw(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(max(bound, 1)))
    }

    mutating func next() -> [UInt8] {
        var input = stored[draw(stored.count)]
        for _ in 0...draw(4) {
            let place = draw(input.count + 1)
            switch draw(5) {
            case 0: if place < input.count { input[place] = UInt8(draw(256)) }
            case 1: if place < input.count { input[place] ^= 1 << UInt8(draw(8)) }
            case 2: input.removeSubrange(place..<min(input.count, place + 1 + draw(8)))
            case 3: input.insert(contentsOf: input[place..<min(input.count, place + 1 + draw(32))], at: place)
            default:
                let other = stored[draw(stored.count)]
                input = Array(input[..<place]) + other[draw(other.count + 1)...]
            }
        }
        return input
    }
}
