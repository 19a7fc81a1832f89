import MetaLearnersKit
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How far estimated effects of fresh rows are from the truth.
///
///     accuracy run [--cells TEXT,…] [--learners s,t,x,r,dr,auto,constant] [--runs 20] [--output FILE] [--threads N]
///     accuracy draw --cell NAME --run NUMBER
///     accuracy cells
///     accuracy time [--rows 1000] [--columns 10] [--learners auto] [--threads 2] [--runs 3]
///     accuracy many-rows [--laws smooth,…] [--rows 2000,20000,200000] [--seeds 1,2] [--learners auto,s,t,x,r,dr]
///                        [--variants '{"name": {parts of a spec}}'] [--also '{"name": [candidates of auto]}'] [--threads 2]
///     accuracy coverage [--laws a,rare,…] [--learners "auto;trees, trees"] [--rows 500,1000] [--runs 200] [--first 0]
///                       [--threads N]
///
/// `run` appends one line per fit to the file and leaves out what is there already. `draw` writes the numbers of a run to
/// the standard output, for peers: n, p and the number of fresh rows as 64-bit integers, then, as doubles, the
/// covariates row by row, treatment, outcome, the fresh covariates row by row and their effects.
@main
struct AccuracyStudy {
    static func main() throws {
        switch CommandLine.arguments.dropFirst().first {
        case "run": try run()
        case "draw": try draw()
        case "cells": for cell in Cell.all { print(cell.name, cell.group.rawValue) }
        case "time": try time()
        case "many-rows": try manyRows()
        case "coverage": try coverage()
        default:
            print("usage: accuracy run | draw | cells | time | many-rows | coverage")
            exit(2)
        }
    }

    /// One fit of one learner.
    private struct Unit: Sendable {
        let cell: Cell
        let run: Int
        let learner: String
        var key: String { "\(cell.name),\(run),\(learner)" }
    }

    /// Wall seconds of a fit, the least of some runs, on rows of the law `sparse` with so many columns.
    private static func time() throws {
        func number(_ name: String, _ standard: Int) -> Int { text(name).flatMap { Int($0) } ?? standard }
        let rows = number("--rows", 1000)
        let columns = number("--columns", 10)
        let threads = ExecutionOptions(threads: number("--threads", 2))
        let data = try Cell.data(.sparse, rows: rows, columns: columns, seed: 1).dataset
        for learner in (text("--learners") ?? "auto").split(separator: ",") {
            let fitter = try MetaLearnerFitter(MetaLearnerSpec(["learner": .string(String(learner))]))
            var least = Double.infinity
            for _ in 0..<number("--runs", 3) {
                let start = ContinuousClock.now
                _ = try fitter.fit(data, threads)
                least = min(least, (ContinuousClock.now - start) / .seconds(1))
            }
            print("\(learner),\(rows),\(columns),\(threads.threadCount),\((least * 1000).rounded() / 1000)")
        }
    }

    private static func coverage() throws {
        var study = CoverageStudy()
        if let laws = list("--laws") { study.laws = laws }
        if let learners = text("--learners") {
            study.learners = learners.split(separator: ";").map(String.init)
        }
        if let rows = list("--rows") { study.rows = rows.compactMap { Int($0) } }
        if let runs = text("--runs").flatMap({ Int($0) }) { study.runs = runs }
        if let first = text("--first").flatMap({ Int($0) }) { study.first = first }
        study.threads = text("--threads").flatMap { Int($0) }
        try study.run()
    }

    private static func manyRows() throws {
        var study = ManyRowsStudy()
        if let laws = list("--laws") {
            study.laws = try laws.map { name in
                if let law = ManyRowsLaw(rawValue: name) { return law }
                throw MetaLearnersError(
                    .invalidArgument, at: "--laws", "has no '\(name)'",
                    remedy: "use of " + ManyRowsLaw.allCases.map(\.rawValue).joined(separator: ", "))
            }
        }
        if let rows = list("--rows") { study.rows = rows.compactMap { Int($0) } }
        if let seeds = list("--seeds") { study.seeds = seeds.compactMap { Int($0) } }
        if let learners = list("--learners") { study.learners = learners }
        if let threads = text("--threads").flatMap({ Int($0) }) { study.threads = threads }
        func named(_ option: String) throws -> [(String, SpecValue)] {
            guard let text = text(option) else { return [] }
            return try SpecValue(json: Array(text.utf8), source: option).objectValue?.entries.map {
                ($0.key, $0.value)
            } ?? []
        }
        study.variants = try named("--variants")
        study.also = try named("--also")
        try study.run()
    }

    private static func run() throws {
        let path = text("--output") ?? "results/ours.csv"
        let learners = (text("--learners") ?? "s,t,x,r,dr,auto").split(separator: ",").map(String.init)
        let runs = text("--runs").flatMap { Int($0) } ?? 20
        let wanted = text("--cells").map { $0.split(separator: ",").map(String.init) } ?? [""]
        let cells = Cell.all.filter { cell in
            wanted.contains {
                $0 == cell.group.rawValue || $0 == cell.name
                    || cell.group != .large && cell.name.hasPrefix($0)
            }
        }
        let known = Set(lines(of: path).map { $0.split(separator: ",").prefix(3).joined(separator: ",") })
        // Runs come first, so that a study that is cut short has some of each cell.
        let units = (0..<runs).flatMap { run in
            cells.flatMap { cell in learners.map { Unit(cell: cell, run: run, learner: $0) } }
        }.filter { !known.contains($0.key) }
        guard let file = fopen(path, "a") else {
            throw MetaLearnersError(.inputOutput, at: path, "cannot write")
        }
        defer { fclose(file) }
        let target = Mutex(UInt(bitPattern: file))
        let failure = Mutex<(any Error)?>(nil)
        let threads = ExecutionOptions(threads: text("--threads").flatMap { Int($0) }).threadCount
        ExecutionContext(threads: threads).concurrently(units.count) { index in
            guard failure.withLock({ $0 == nil }) else { return }
            do {
                let line = try result(of: units[index])
                target.withLock { address in
                    guard let file = UnsafeMutablePointer<FILE>(bitPattern: address) else { return }
                    fputs(line, file)
                    fflush(file)
                }
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// cell, run, learner, mean squared error, that of the best constant, variance of the outcome, processor seconds.
    private static func result(of unit: Unit) throws -> String {
        let draw = try unit.cell.draw(unit.run)
        var spec: [(String, SpecValue)] = [("keep_training", false)]
        switch unit.learner {
        case "default": break
        case "constant":
            // The best effect that is the same for all: the R-learner's.
            spec += [("learner", "r"), ("models", ["effect": "constant"])]
        default: spec.append(("learner", .string(unit.learner)))
        }
        let fitter = try MetaLearnerFitter(MetaLearnerSpec(.object(SpecObject(spec))))
        let start = processorSeconds()
        let model = try fitter.fit(draw.training.dataset, ExecutionOptions(threads: 1))
        let seconds = processorSeconds() - start
        let effects = try model.predict(draw.test, ExecutionOptions(threads: 1)).effects[0]
        let count = Double(effects.count)
        let truth = draw.testEffects
        let error = zip(effects, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / count
        let mean = truth.reduce(0, +) / count
        let constant = truth.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let outcome = draw.training.outcome
        let center = outcome.reduce(0, +) / Double(outcome.count)
        let variance = outcome.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(outcome.count)
        return "\(unit.key),\(error),\(constant),\(variance),\((seconds * 1000).rounded() / 1000)\n"
    }

    private static func draw() throws {
        guard let name = text("--cell"), let cell = Cell.all.first(where: { $0.name == name }) else {
            throw MetaLearnersError(.invalidArgument, at: "--cell", "is none of the cells")
        }
        let draw = try cell.draw(text("--run").flatMap { Int($0) } ?? 0)
        let training = draw.training
        let columns = training.covariates.columns.count
        try put([Int64(training.rowCount), Int64(columns), Int64(draw.test.rowCount)])
        try put(rowMajor(training.covariates))
        try put(training.treatment.arms.map(Double.init))
        try put(training.outcome)
        try put(rowMajor(draw.test))
        try put(draw.testEffects)
    }

    private static func rowMajor(_ table: Table) -> [Double] {
        let columns = table.columns.map { $0.values.doubles() }
        return (0..<table.rowCount).flatMap { row in columns.map { $0[row] } }
    }

    private static func put<Value: BitwiseCopyable>(_ values: [Value]) throws {
        try values.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(
                    STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard count > 0 else { throw MetaLearnersError(.inputOutput, "cannot write the draw") }
                rest = rest.dropFirst(count)
            }
        }
    }

    private static func lines(of path: String) -> [String] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var lines: [String] = []
        var buffer = [CChar](repeating: 0, count: 4096)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            lines.append(
                String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        return lines
    }

    /// Seconds that this thread has computed: others on the machine do not count.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func list(_ name: String) -> [String]? {
        text(name)?.split(separator: ",").map(String.init)
    }

    private static func text(_ name: String) -> String? {
        let arguments = CommandLine.arguments
        guard let position = arguments.firstIndex(of: name), position + 1 < arguments.count else {
            return nil
        }
        return arguments[position + 1]
    }
}
