import MetaLearnersCore

/// A tree of few rules that says which arm a row gets.
public struct PolicyTree: Sendable, Equatable {
    /// A question, or at the end of a branch an arm.
    public indirect enum Node: Sendable, Equatable {
        /// Everybody here gets the arm.
        case leaf(arm: Int)
        /// Rows whose value of the column is at most the threshold, or missing, go left.
        case split(column: Int, bin: Int, left: Node, right: Node)
    }

    /// The first question.
    public let root: Node

    /// The arm of each row.
    func decisions(_ columns: [PolicyTreeColumn], rowCount: Int) -> [Int32] {
        (0..<rowCount).map { decision(columns, row: $0) }
    }

    /// The arm of a row.
    func decision(_ columns: [PolicyTreeColumn], row: Int) -> Int32 {
        var node = root
        while case .split(let column, let bin, let left, let right) = node {
            node = columns[column].bins[row] <= bin ? left : right
        }
        guard case .leaf(let arm) = node else { return 0 }
        return Int32(arm)
    }

    /// The leaves from left to right, each with the conditions that lead to it in words.
    func leaves(_ columns: [PolicyTreeColumn]) -> [(conditions: [String], arm: Int, path: [Bool])] {
        func walk(_ node: Node, _ conditions: [String], _ path: [Bool]) -> [(
            conditions: [String], arm: Int, path: [Bool]
        )] {
            switch node {
            case .leaf(let arm): return [(conditions, arm, path)]
            case .split(let column, let bin, let left, let right):
                let (yes, no) = columns[column].conditions(bin: bin)
                return walk(left, conditions + [yes], path + [true])
                    + walk(right, conditions + [no], path + [false])
            }
        }
        return walk(root, [], [])
    }

    /// The tree as results have it.
    func specValue(_ columns: [PolicyTreeColumn], _ labels: [String]) -> SpecValue {
        func value(_ node: Node) -> SpecValue {
            switch node {
            case .leaf(let arm): return ["arm": .string(labels[arm])]
            case .split(let column, let bin, let left, let right):
                let known = columns[column]
                return [
                    "column": .string(known.name),
                    "level": known.level.map { .string($0) } ?? .null,
                    "threshold": known.level == nil && known.uppers[bin].isFinite
                        ? .number(known.uppers[bin]) : .null,
                    "left": value(left), "right": value(right),
                ]
            }
        }
        return value(root)
    }
}

/// A column as trees see it: each row in a bin, the bins in the order of values; missing numbers are below all others.
struct PolicyTreeColumn: Sendable {
    let name: String
    /// The level that the column asks for; nil for numbers.
    let level: String?
    let bins: [Int32]
    /// The largest value of each bin; −∞ for missing ones.
    let uppers: [Double]
    /// The smallest value of each bin.
    let lowers: [Double]

    /// The columns of a table: numbers as they are, a category as a column for each of its levels.
    ///
    /// - Parameter most: bins at most, by equal counts where there are more values; 0 for a bin for each value.
    static func columns(of table: Table, most: Int) -> (columns: [PolicyTreeColumn], warnings: [String]) {
        var columns: [PolicyTreeColumn] = []
        var warnings: [String] = []
        for column in table.columns {
            guard let levels = column.levels, let codes = column.codes() else {
                columns.append(PolicyTreeColumn(column.name, column.values.doubles(), most: most))
                continue
            }
            guard levels.count <= 32 else {
                warnings.append(
                    "'\(column.name)' has \(levels.count) levels and is left out: rules ask for one of at most 32."
                )
                continue
            }
            // Of two levels one question is enough.
            for (code, level) in levels.enumerated() where levels.count > 2 || code == 1 {
                columns.append(
                    PolicyTreeColumn(
                        name: column.name, level: level, bins: codes.map { $0 == Int32(code) ? 1 : 0 },
                        uppers: [0, 1]))
            }
        }
        return (columns.filter { $0.uppers.count > 1 }, warnings)
    }

    private init(name: String, level: String?, bins: [Int32], uppers: [Double], lowers: [Double]? = nil) {
        self.name = name
        self.level = level
        self.bins = bins
        self.uppers = uppers
        self.lowers = lowers ?? uppers
    }

    private init(_ name: String, _ values: [Double], most: Int) {
        let keys = values.map { $0.isNaN ? -Double.infinity : $0 }
        let sorted = keys.sorted()
        var distinct: [Double] = []
        var counts: [Int] = []
        for value in sorted {
            if distinct.last == value {
                counts[counts.count - 1] += 1
            } else {
                distinct.append(value)
                counts.append(1)
            }
        }
        var lowers = distinct
        if most > 0, distinct.count > most {
            lowers = []
            var uppers: [Double] = []
            var seen = 0
            for (value, count) in zip(distinct, counts) {
                if lowers.count == uppers.count { lowers.append(value) }
                seen += count
                if seen * most >= (uppers.count + 1) * sorted.count || value == distinct.last {
                    uppers.append(value)
                }
            }
            distinct = uppers
        }
        self.init(
            name: name, level: nil,
            bins: keys.map { key in
                var (low, high) = (0, distinct.count - 1)
                while low < high {
                    let middle = (low + high) / 2
                    if distinct[middle] < key { low = middle + 1 } else { high = middle }
                }
                return Int32(low)
            }, uppers: distinct, lowers: lowers)
    }

    /// What holds on the left of a split behind a bin, and on its right.
    func conditions(bin: Int) -> (left: String, right: String) {
        if let level { return ("\(name) is not \(level)", "\(name) is \(level)") }
        let hasMissing = uppers.first == -.infinity
        guard uppers[bin] > -.infinity else { return ("\(name) is missing", "\(name) is known") }
        let number = SpecValue.normalized(shortThreshold(bin)).json()
        return ("\(name) ≤ \(number)" + (hasMissing ? " or missing" : ""), "\(name) > \(number)")
    }

    /// The number with the fewest decimals that tells a bin from the next one.
    private func shortThreshold(_ bin: Int) -> Double {
        let next = bin + 1 < lowers.count ? lowers[bin + 1] : .infinity
        var scale = 1.0
        while scale < 1e15 {
            let number = (uppers[bin] * scale).rounded(.up) / scale
            if number >= uppers[bin], number < next { return number }
            scale *= 10
        }
        return uppers[bin]
    }
}
