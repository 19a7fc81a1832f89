import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Fold assignments")
struct FoldAssignmentTests {
    @Test(
        "Each arm, and each class of a binary outcome, is spread over the folds to within one row",
        arguments: [2, 3, 5, 7])
    func stratified(count: Int) throws {
        let data = try SyntheticDataset.binary(rows: 203, seed: 1).dataset
        let folds = try FoldAssignment(data, count: count, seed: 9)
        for arm in 0..<2 {
            for outcome in [0.0, 1] {
                let sizes = (0..<count).map { fold in
                    folds.rows(in: fold).count {
                        data.treatment.arms[Int($0)] == arm && data.outcome.values[Int($0)] == outcome
                    }
                }
                #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
            }
        }
        let sizes = (0..<count).map { folds.rows(in: $0).count }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        #expect(sizes.reduce(0, +) == 203)
    }

    @Test("The rows of a fold and those of its models are everything, and share nothing")
    func partition() throws {
        let data = try SyntheticDataset.multiArm(rows: 60, seed: 2).dataset
        let folds = try FoldAssignment(data, count: 4, seed: 1)
        let all = Array(0..<Int32(60))
        for fold in 0..<4 {
            let inside = folds.rows(in: fold)
            let outside = folds.trainingRows(all, for: fold)
            #expect((inside + outside).sorted() == all)
            #expect(inside == inside.sorted() && outside == outside.sorted())
        }
    }

    @Test("Clusters stay whole, and rows stay about even")
    func clusters() throws {
        let data = try SyntheticDataset.clustered(clusters: 20, rowsPerCluster: 10, seed: 3).dataset
        let folds = try FoldAssignment(data, count: 5, seed: 4)
        let clusters = try #require(data.clusters)
        var foldOf: [Int32: Int32] = [:]
        for row in 0..<data.rowCount {
            #expect(foldOf[clusters[row], default: folds.folds[row]] == folds.folds[row])
            foldOf[clusters[row]] = folds.folds[row]
        }
        #expect((0..<5).allSatisfy { (20...60).contains(folds.rows(in: $0).count) })
    }

    @Test("As many clusters as folds do, where whole clusters are treated", arguments: 5...9)
    func fewTreatedClusters(count: Int) throws {
        for seed in 0..<20 as Range<UInt64> {
            let clusters = (0..<20 * count).map { Int32($0 % count) }
            let data = try CausalDataset(
                covariates: Table([Column("x", clusters.map(Double.init))]),
                treatment: Treatment(arms: clusters.map { $0 % 2 }, labels: ["0", "1"]),
                outcome: Outcome(clusters.map(Double.init)), clusters: clusters)
            let folds = try FoldAssignment(data, count: 5, seed: seed)
            #expect(folds.hasRowsInEveryFold)
        }
    }

    @Test("The smallest stratum is an arm, an arm's class, or the number of clusters")
    func smallestStratum() throws {
        func smallest(_ outcome: Outcome, clusters: [Int32]? = nil) throws -> Int {
            try FoldAssignment.smallestStratum(
                of: CausalDataset(
                    covariates: Table([Column("x", (0..<100).map(Double.init))]),
                    treatment: Treatment(arms: (0..<100).map { $0 < 30 ? 1 : 0 }, labels: ["0", "1"]),
                    outcome: outcome, clusters: clusters))
        }
        #expect(try smallest(Outcome((0..<100).map(Double.init))) == 30)
        let binary = (0..<100).map { $0 % 10 == 0 ? 1.0 : 0 }
        #expect(try smallest(Outcome(binary, kind: .binary(labels: ["0", "1"]))) == 3)
        #expect(try smallest(Outcome(binary), clusters: (0..<100).map { Int32($0 / 5) }) == 20)
    }

    @Test("The seed alone decides")
    func determinism() throws {
        let data = try SyntheticDataset.linear(rows: 80, seed: 3).dataset
        let first = try FoldAssignment(data, count: 5, seed: 4)
        #expect(try FoldAssignment(data, count: 5, seed: 4) == first)
        #expect(try FoldAssignment(data, count: 5, seed: 5) != first)
    }

    @Test("Folds drawn elsewhere are taken as they are, or refused")
    func injected() throws {
        let folds = try FoldAssignment([1, 0, 1], count: 2)
        #expect(folds.rows(in: 1) == [0, 2])
        func message(_ folds: [Int32], _ count: Int) -> String? {
            #expect(throws: MetaLearnersError.self) { try FoldAssignment(folds, count: count) }?.description
        }
        #expect(message([0, 2], 2) == "folds: row index 1 has fold 2, of 2")
        #expect(message([0, -1], 2) == "folds: row index 1 has fold -1, of 2")
        #expect(message([0, 0], 2) == "folds: fold 1 has no rows")
        for count in [Int.max, 3, 0, -1, .min] { #expect(message([0, 1], count) != nil) }
    }

    @Test("An arm with fewer rows than folds is refused with the counts")
    func smallArm() throws {
        let data = try CausalDataset(
            covariates: Table([]), treatment: Treatment(arms: [0, 0, 0, 0, 1, 1], labels: ["no", "yes"]),
            outcome: Outcome([1, 2, 3, 4, 5, 6]))
        let error = #expect(throws: MetaLearnersError.self) { try FoldAssignment(data, count: 3, seed: 1) }
        #expect(
            error?.description == "treatment: arm 'yes' has 2 rows, fewer than the 3 folds; "
                + "the first is row index 4; use fewer folds (cross_fitting.folds) or leave the arm out")
        #expect(throws: MetaLearnersError.self) { try FoldAssignment(data, count: 1, seed: 1) }
        #expect(throws: MetaLearnersError.self) { try FoldAssignment(data, count: .min, seed: 1) }
        #expect(throws: MetaLearnersError.self) { try FoldAssignment(data, count: .max, seed: 1) }
    }

    @Test("Too few clusters, and a cluster that holds a whole arm, are refused")
    func badClusters() throws {
        func dataset(_ clusters: [Int32]) throws(MetaLearnersError) -> CausalDataset {
            try CausalDataset(
                covariates: Table([]), treatment: Treatment(arms: [0, 1, 0, 1, 0, 1], labels: ["0", "1"]),
                outcome: Outcome([1, 2, 3, 4, 5, 6]), clusters: clusters)
        }
        let few = #expect(throws: MetaLearnersError.self) {
            try FoldAssignment(dataset([1, 1, 1, 2, 2, 2]), count: 3, seed: 1)
        }
        #expect(few?.problem.contains("clusters for 3 folds, and a cluster is held out as a whole") == true)
        let whole = #expect(throws: MetaLearnersError.self) {
            try FoldAssignment(dataset([1, 2, 3, 2, 4, 2]), count: 2, seed: 1)
        }
        #expect(whole?.problem.contains("every row of arm '1' is in fold") == true)
    }
}
