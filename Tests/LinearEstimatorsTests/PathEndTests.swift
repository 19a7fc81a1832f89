import MetaLearnersCore
import Testing

@testable import LinearEstimators

/// Paths that end before the last penalty.
@Suite(.holdingBLAS) struct PathEndTests {
    private static let rowCount = 500
    private let context = ExecutionContext()
    private let rows = (0..<rowCount).map { Int32($0) }
    private let folds = (0..<rowCount).map { Int32($0 % 4) }

    /// Columns that share a factor; what decides the target is the difference of the first two, which are nearly alike.
    private func draw(_ seed: UInt64, noiseColumns: Int, signal: Double) throws -> (
        design: DesignMatrix, target: [Double]
    ) {
        var stream = RandomStream(seed: seed)
        func number() -> Double { (0..<12).reduce(-6) { sum, _ in sum + stream.uniform() } }
        var columns = [[Double]](repeating: [], count: noiseColumns + 2)
        var target: [Double] = []
        for _ in rows {
            let (factor, sum, difference) = (number(), number(), number())
            columns[0].append(0.995 * sum + 0.1 * difference)
            columns[1].append(0.995 * sum - 0.1 * difference)
            for column in 2..<columns.count { columns[column].append(0.7 * factor + 0.7 * number()) }
            target.append(signal * difference + 0.3 * factor + number())
        }
        let table = try Table(columns.enumerated().map { Column("x\($0)", $1) })
        return (try DesignMatrix(table, expansion: .none, context), target)
    }

    /// Of a lasso and of a logistic regression of the target's sign, the path that ends early and the whole one.
    private func paths(_ design: DesignMatrix, _ target: [Double]) throws -> [(
        early: PathFit, whole: PathFit
    )] {
        let squares = try PathProblem(design, rows: rows, folds: folds, target: target, context)
        let classes = try LogisticPathProblem(
            design, rows: rows, folds: folds, target: target.map { $0 > 0 ? 1 : 0 })
        return [
            (try squares.lassoPath(context), try squares.lassoPath(endsEarly: false, context)),
            (try classes.ridgePath(context), try classes.ridgePath(endsEarly: false, context)),
        ]
    }

    @Test(
        "a path goes on where noise enters it before what matters, and chooses what the whole path chooses",
        arguments: 1...12 as ClosedRange<UInt64>)
    func nearlyAlike(seed: UInt64) throws {
        let (design, target) = try draw(seed, noiseColumns: 18, signal: 0.5)
        for (early, whole) in try paths(design, target) {
            // (At the first stage no column counts, or hardly.)
            #expect(whole.losses[whole.best] < 0.97 * whole.losses[0])
            #expect(early.losses[early.best] < 1.01 * whole.losses[whole.best])
        }
    }

    @Test("a path ends where columns are noise and the loss of the rows held out rises")
    func noise() throws {
        let (design, target) = try draw(7, noiseColumns: 100, signal: 0)
        for (early, whole) in try paths(design, target) {
            let last = whole.penalties.count - 1
            #expect(early.best == whole.best)
            #expect(early.losses[last] < whole.losses[last])
            for fold in 0..<4 {
                #expect(early.models[fold][last].coefficients == early.models[fold][last - 1].coefficients)
                #expect(
                    early.models[fold][whole.best].coefficients == whole.models[fold][whole.best].coefficients
                )
            }
        }
    }

    @Test("a logistic path on a gradient of exactly 0 is exact at once")
    func nothingToLearn() throws {
        // The column is balanced within the classes, and so is every fold.
        let column = rows.map { $0 / 4 % 2 == 0 ? 1.0 : -1.0 }
        let target = rows.map { $0 / 8 % 2 == 0 ? 1.0 : 0.0 }
        for columns in [[column], []] {
            let table = try Table(
                columns.map { Column("x", $0) } + [Column("constant", rows.map { _ in 1.0 })])
            let design = try DesignMatrix(table, expansion: .none, context)
            let kept = rows.prefix(480).map(\.self)
            let fit = try LogisticPathProblem(design, rows: kept, folds: folds, target: target).ridgePath(
                context)
            #expect(fit.converged)
            for model in fit.models.joined() { #expect(abs(model.intercept) < 1e-9) }
        }
    }
}
