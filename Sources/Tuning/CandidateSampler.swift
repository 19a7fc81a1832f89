import MetaLearnersCore

/// Draws settings of a role's backends.
struct CandidateSampler {
    let sampling: TuningSpec.Sampling
    let seed: UInt64

    /// Settings without doubles, in the order in which they are drawn: at most `count`, of which a space of few values may have
    /// fewer.
    ///
    /// The first number of a point says which backend it is of, the others are those of its parameters. O(count · dimension).
    func draw(_ spaces: [BackendSpace], _ count: Int) -> [SpecObject] {
        let dimension = 1 + (spaces.map(\.dimension).max() ?? 0)
        var settings: [SpecObject] = []
        var seen: Set<String> = []
        // Of a space of few values many points are the same; those that come after stand in for them.
        let points = pointSource(dimension, count)
        for _ in 0..<(16 * count) where settings.count < count {
            let point = points()
            let space = spaces[min(Int(point[0] * Double(spaces.count)), spaces.count - 1)]
            let setting = space.setting(point.dropFirst())
            if seen.insert(SpecValue.object(setting).json()).inserted { settings.append(setting) }
        }
        return settings
    }

    /// One point of the unit cube after another.
    private func pointSource(_ dimension: Int, _ count: Int) -> () -> [Double] {
        if sampling == .sobol, var sobol = SobolSequence(dimension: dimension, seed: seed) {
            return { sobol.next() }
        }
        var block: [[Double]] = []
        var number: UInt64 = 0
        return {
            if block.isEmpty {
                block = Self.latinHypercube(dimension, count, seed: RandomStream.derivedSeed(seed, number))
                    .reversed()
                number += 1
            }
            return block.removeLast()
        }
    }

    /// Points of which each coordinate has one in each of `count` equal parts.
    static func latinHypercube(_ dimension: Int, _ count: Int, seed: UInt64) -> [[Double]] {
        var stream = RandomStream(seed: seed, path: 0x4C48_5300)
        var points = [[Double]](repeating: [], count: count)
        for _ in 0..<dimension {
            var order = Array(0..<count)
            stream.shuffle(&order)
            for (index, part) in order.enumerated() {
                points[index].append((Double(part) + stream.uniform()) / Double(count))
            }
        }
        return points
    }
}

/// A Sobol sequence (Sobol 1967) with the direction numbers of Joe & Kuo (2008, "Constructing Sobol sequences with better
/// two-dimensional projections", SIAM J. Sci. Comput. 30), in the order of Gray's code, with a random digital shift.
struct SobolSequence {
    /// Of each dimension from the second: the coefficients of its primitive polynomial, and the first direction numbers.
    private static let table: [(coefficients: UInt32, first: [UInt32])] = [
        (0, [1]), (1, [1, 3]), (1, [1, 3, 1]), (2, [1, 1, 1]), (1, [1, 1, 3, 3]), (4, [1, 3, 5, 13]),
        (2, [1, 1, 5, 5, 17]), (4, [1, 1, 5, 5, 5]), (7, [1, 1, 7, 11, 19]), (11, [1, 1, 5, 1, 1]),
        (13, [1, 1, 1, 3, 11]), (14, [1, 3, 5, 5, 31]), (1, [1, 3, 3, 9, 7, 49]),
        (13, [1, 1, 1, 15, 21, 21]),
        (16, [1, 3, 1, 13, 27, 49]), (19, [1, 1, 1, 15, 7, 5]), (22, [1, 3, 1, 15, 13, 25]),
        (25, [1, 1, 5, 5, 19, 61]), (1, [1, 3, 7, 11, 23, 15, 103]), (4, [1, 3, 7, 13, 13, 15, 69]),
    ]

    private let directions: [[UInt32]]
    private let shift: [UInt32]
    private var state: [UInt32]
    private var index: UInt32 = 0

    /// Creates the sequence; nil for more dimensions than there are direction numbers of.
    ///
    /// - Parameter seed: of the shift; nil for the plain sequence, whose first point is 0.
    init?(dimension: Int, seed: UInt64?) {
        guard dimension >= 1, dimension <= Self.table.count + 1 else { return nil }
        directions = (0..<dimension).map { number in
            guard number > 0 else { return (0..<32).map { UInt32(1) << (31 - $0) } }
            let (coefficients, first) = Self.table[number - 1]
            let degree = first.count
            var list = first.enumerated().map { $1 << UInt32(31 - $0) }
            for place in degree..<32 {
                var value = list[place - degree] ^ (list[place - degree] >> UInt32(degree))
                for step in 1..<max(degree, 1) where (coefficients >> UInt32(degree - 1 - step)) & 1 == 1 {
                    value ^= list[place - step]
                }
                list.append(value)
            }
            return list
        }
        state = [UInt32](repeating: 0, count: dimension)
        guard let seed else {
            shift = state
            return
        }
        var stream = RandomStream(seed: seed, path: 0x534F_424C)
        shift = (0..<dimension).map { _ in UInt32(truncatingIfNeeded: stream.next() >> 32) }
    }

    /// The next point, each coordinate in [0, 1).
    mutating func next() -> [Double] {
        let point = zip(state, shift).map { Double($0 ^ $1) * 0x1p-32 }
        let place = min((~index).trailingZeroBitCount, 31)
        for number in state.indices { state[number] ^= directions[number][place] }
        index &+= 1
        return point
    }
}
