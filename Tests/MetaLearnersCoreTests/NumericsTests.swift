import MetaLearnersCore
import Testing
import _TestSupport

@Suite struct NumericsTests {
    // MARK: Logistic

    @Test("shares of two classes: known values, both ways of computing them, and they add up to 1")
    func logistic() {
        let known: [(Double, Double)] = [
            (0, 0.5), (1, 0.731_058_578_630_004_9), (-2, 0.119_202_922_022_117_56),
            (5, 0.993_307_149_075_715_3), (-30, 9.357_622_968_839_299e-14),
        ]
        for (x, share) in known {
            #expect(abs(Logistic.share(x) - share) <= 1e-15 * share)
            #expect(abs(Logistic.shareByMagnitude(x) - share) <= 1e-15 * share)
        }
        for x in stride(from: -40.0, through: 40, by: 0.37) {
            #expect(abs(Logistic.share(x) + Logistic.share(-x) - 1) < 1e-15)
            #expect(abs(Logistic.share(x) / Logistic.shareByMagnitude(x) - 1) < 1e-15)
        }
    }

    @Test("shares at the ends of the numbers are 0, 1 or NaN, and never infinite")
    func logisticExtremes() {
        for share in [Logistic.share, Logistic.shareByMagnitude] {
            #expect(share(.infinity) == 1)
            #expect(share(-.infinity) == 0)
            #expect(share(1e300) == 1)
            #expect(share(-1e300) == 0)
            #expect(share(.nan).isNaN)
        }
    }

    @Test("softplus is the logarithm of 1 + eˣ, and has neither overflow nor cancellation")
    func softplus() {
        #expect(abs(Logistic.softplus(0) - 0.693_147_180_559_945_3) < 1e-16)
        #expect(abs(Logistic.softplus(3) - 3.048_587_351_573_742) < 1e-15)
        #expect(abs(Logistic.softplus(-40) / 4.248_354_255_291_589e-18 - 1) < 1e-14)
        #expect(Logistic.softplus(1e300) == 1e300)
        #expect(Logistic.softplus(-1e300) == 0)
    }

    @Test("shares of classes add up to 1, do not change with a constant, and agree in place and one by one")
    func softmax() {
        let scores = [0.3, -2, 700, 699.5, 0]
        var places = scores
        places.withUnsafeMutableBufferPointer { buffer in
            if let start = buffer.baseAddress { Softmax.replace(start, count: buffer.count) }
        }
        #expect(abs(places.reduce(0, +) - 1) < 1e-15)
        #expect(abs(places[3] / places[2] - 0.606_530_659_712_633_4) < 1e-12)
        scores.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            let softmax = Softmax(start, count: buffer.count)
            #expect(scores.map { softmax.share($0) } == places)
            #expect(abs(softmax.logTotal - (700 + 0.474_076_984_180_106_7)) < 1e-9)
        }
        let two = [1.5, -0.25]
        two.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            #expect(abs(Softmax(start, count: 2).share(1.5) - Logistic.share(1.75)) < 1e-15)
            #expect(Softmax(start, count: 1).share(1.5) == 1)
        }
    }

    // MARK: Order statistics

    @Test("medians: the middle value, or the mean of the middle two")
    func medians() {
        #expect(OrderStatistics.median(ofSorted: []).isNaN)
        #expect(OrderStatistics.median(ofSorted: [4]) == 4)
        #expect(OrderStatistics.median(ofSorted: [1, 2, 9]) == 2)
        #expect(OrderStatistics.median(ofSorted: [1, 2, 4, 9]) == 3)
    }

    @Test("quantiles are those of R's quantile(x, p, type = 7)")
    func quantiles() {
        let values = [1.0, 2, 4, 8, 16]
        let known: [(Double, Double)] = [(0, 1), (0.1, 1.4), (0.25, 2), (0.5, 4), (0.9, 12.8), (1, 16)]
        for (share, value) in known {
            #expect(abs(OrderStatistics.quantile(ofSorted: values, share) - value) < 1e-14)
        }
        #expect(OrderStatistics.quantile(ofSorted: [], 0.5).isNaN)
        #expect(OrderStatistics.quantile(ofSorted: [3], 0.7) == 3)
    }

    @Test("quantiles of infinite values are no NaN, and shares outside 0 to 1 give the ends")
    func quantileExtremes() {
        let infinite = [-Double.infinity, -.infinity, 0, .infinity, .infinity]
        #expect(OrderStatistics.quantile(ofSorted: infinite, 0.1) == -.infinity)
        #expect(OrderStatistics.quantile(ofSorted: infinite, 0.95) == .infinity)
        #expect(OrderStatistics.quantile(ofSorted: [1, 2], -1) == 1)
        #expect(OrderStatistics.quantile(ofSorted: [1, 2], 2) == 2)
    }

    // MARK: Cholesky

    private func solution(_ matrix: [Double], _ vector: [Double], leastPivot: Double = 0) -> (
        x: [Double], dependent: Int
    ) {
        var matrix = matrix
        var vector = vector
        var dependent = -1
        matrix.withUnsafeMutableBufferPointer { matrix in
            vector.withUnsafeMutableBufferPointer { vector in
                guard let start = matrix.baseAddress, let right = vector.baseAddress else { return }
                dependent = SmallCholesky.factorize(
                    start, order: vector.count, right, leastPivot: leastPivot)
                SmallCholesky.substitute(start, order: vector.count, right)
            }
        }
        return (vector, dependent)
    }

    @Test("a system solved by its factor: the lower triangle is all that is read")
    func cholesky() {
        // A = LLᵀ with L = [2; 1, 3; −1, 0.5, 4], x = (1, −2, 3).
        let matrix = [4, .nan, .nan, 2, 10, .nan, -2, 0.5, 17.25]
        let found = solution(matrix, [4 - 4 - 6, 2 - 20 + 1.5, -2 - 1 + 51.75])
        #expect(found.dependent == 0)
        for (value, known) in zip(found.x, [1.0, -2, 3]) { #expect(abs(value - known) < 1e-13) }
    }

    @Test("random systems of every small order: the residual is that of rounding")
    func choleskyResiduals() {
        var stream = RandomStream(seed: 3)
        for order in 1...12 {
            let root = (0..<order * order).map { _ in stream.uniform() - 0.5 }
            var matrix = [Double](repeating: 0, count: order * order)
            for row in 0..<order {
                for column in 0..<order {
                    for inner in 0..<order {
                        matrix[row * order + column] +=
                            root[row * order + inner] * root[column * order + inner]
                    }
                }
                matrix[row * order + row] += 0.1
            }
            let right = (0..<order).map { _ in stream.uniform() }
            let (x, dependent) = solution(matrix, right)
            #expect(dependent == 0)
            for row in 0..<order {
                let product = (0..<order).reduce(0) { $0 + matrix[row * order + $1] * x[$1] }
                #expect(abs(product - right[row]) < 1e-12)
            }
        }
    }

    @Test("rows that depend on others become 0 and are counted, and so are indefinite ones")
    func dependentRows() {
        // The second column is twice the first.
        let found = solution([1, 0, 0, 2, 4, 0, 0, 0, 9], [3, 6, 18], leastPivot: 1e-12)
        #expect(found.dependent == 1)
        #expect(found.x == [3, 0, 2])
        #expect(solution([1, 0, 2, 1], [1, 1]).dependent == 1)
        #expect(solution([-1], [1]).dependent == 1)
        #expect(solution([.nan], [1]).dependent == 1)
        #expect(solution([0], [0]).x == [0])
    }

    // MARK: Memory

    @Test("buffers are aligned, as long as asked for, and all 0", arguments: [0, 1, 100, 1 << 20])
    func buffers(count: Int) throws {
        let zeros = try AlignedBuffer<Double>(zeroed: count)
        #expect(zeros.count == count)
        #expect(UInt(bitPattern: zeros.start) % (count > 1 << 18 ? 2 << 20 : 64) == 0)
        #expect(UnsafeBufferPointer(start: zeros.start, count: count).allSatisfy { $0 == 0 })
    }

    @Test("memory that no machine has is an error that says what to do", arguments: [Int.max, Int.max / 16])
    func tooLarge(count: Int) throws {
        let error = #expect(throws: MetaLearnersError.self) {
            try AlignedBuffer<Double>(uninitialized: count, remedy: "use less of it")
        }
        #expect(error.says(.outOfMemory, "use less of it"))
    }
}
