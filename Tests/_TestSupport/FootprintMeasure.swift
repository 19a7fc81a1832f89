import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The memory that fits take: what their estimator says beforehand, and what the system counts.
///
/// The system counts what a process has had at most: a measure needs a process of its own, such as the body of an exit
/// test, which hands it back as a line of text.
public struct FootprintMeasure: Sendable, Equatable {
    /// What the estimator says, of the largest of the tasks.
    public let estimated: Int
    /// What the peak of memory rose by.
    public let measured: Int

    /// What no estimator has to know of: the allocator's reserves, code read for the first time.
    private static let slack = 6 << 20

    /// Whether this system tells a process its peak.
    public static var isPossible: Bool { status("VmHWM:") != nil }

    /// Fits the tasks one after another, on one thread.
    ///
    /// - Throws: what the estimator throws.
    public init(_ estimator: some BaseEstimator, _ tasks: [TrainingTask]) throws(MetaLearnersError) {
        var shared = 0
        var working = 0
        for task in tasks {
            let footprint = estimator.footprint(
                rows: task.rows.count, of: task.features, for: task.objective)
            shared = max(shared, footprint.shared)
            working = max(working, footprint.working)
        }
        estimated = shared + working
        // From here on the peak counts anew.
        if let file = fopen("/proc/self/clear_refs", "w") {
            fputs("5", file)
            fclose(file)
        }
        let before = Self.status("VmRSS:") ?? 0
        for task in tasks { _ = try estimator.fit(task, ExecutionContext(threads: 1)) }
        measured = max(0, (Self.status("VmHWM:") ?? 0) - before)
    }

    /// Reads the line that `line` is.
    public init?(_ text: some Collection<UInt8>) {
        let numbers = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).last?
            .split(separator: " ").compactMap { Int($0) }
        guard let numbers, numbers.count == 2 else { return nil }
        estimated = numbers[0]
        measured = numbers[1]
    }

    /// The numbers as a line of text.
    public var line: String { "\(estimated) \(measured)" }

    /// Whether the estimate is good enough to plan with: a fit takes no more than a quarter over it, and no less than a
    /// third of it.
    public var isAbout: Bool {
        Double(measured) <= 1.25 * Double(estimated) + Double(Self.slack)
            && Double(estimated) <= 3 * Double(measured) + Double(Self.slack)
    }

    /// A number of bytes that the system knows of this process.
    private static func status(_ key: String) -> Int? {
        guard let file = fopen("/proc/self/status", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix(key) else { continue }
            return text.split(separator: " ").compactMap { Int($0) }.first.map { $0 << 10 }
        }
        return nil
    }
}

/// Data for measures of memory: as large as asked for, of values that hardly repeat.
public struct FootprintData: Sendable {
    public let features: Table
    public let target: [Double]
    public let weights: [Double]

    /// Makes `numbers` columns of numbers and one of categories, where that is to have any levels.
    public init(rows: Int, numbers: Int, levels: Int = 0) throws(MetaLearnersError) {
        var stream = RandomStream(seed: 1)
        func column() -> [Double] { (0..<rows).map { _ in stream.uniform() } }
        var columns = (0..<numbers).map { Column("x\($0)", column()) }
        if levels > 0 {
            let codes = (0..<rows).map { _ in Int32(stream.integer(below: levels)) }
            columns.append(
                Column("level", codes: StridedValues(codes), levels: (0..<levels).map { "\($0)" }))
        }
        features = try Table(columns)
        let noise = column()
        let first = columns.prefix(2).map(\.values)
        target = (0..<rows).map { row in first.reduce(noise[row]) { $0 + $1[row] } }
        weights = column()
    }

    /// A task of all rows, or of those whose number leaves another remainder than `without` after division by 10.
    public func task(
        _ objective: TrainingTask.Objective, weighted: Bool = false, without: Int32? = nil,
        target other: [Double]? = nil
    ) throws(MetaLearnersError) -> TrainingTask {
        try TrainingTask(
            features: features,
            rows: (0..<Int32(features.rowCount)).filter { $0 % 10 != without },
            target: other ?? target, weights: weighted ? weights : nil, objective: objective, seed: 1)
    }

    /// Labels of so many classes.
    public func labels(_ classes: Int) -> [Double] {
        target.map { ($0 * 1000).rounded().truncatingRemainder(dividingBy: Double(classes)) }
    }
}
