import MetaLearnersKit
import Testing

@testable import AutoLearner

@Suite("Numbers of auto")
struct AutoSettingsTests {
    private func members(_ rowCount: Int) -> [AutoMember.Name] {
        AutoMember.all(AutoSettings(rowCount: rowCount), knowsPropensities: false).map(\.name)
    }

    @Test("Capacity grows with the rows, step by step, and members only leave")
    func gradual() {
        var last = AutoSettings(rowCount: 100)
        var lastMembers = members(100)
        var rowCount = 100.0
        while rowCount < 2e7 {
            rowCount *= 1.01
            let settings = AutoSettings(rowCount: Int(rowCount))
            #expect((0...1).contains(settings.outcomeLeaves - last.outcomeLeaves), "\(rowCount)")
            #expect((0...1).contains(settings.effectLeaves - last.effectLeaves), "\(rowCount)")
            #expect((0...4).contains(settings.maxBins - last.maxBins), "\(rowCount)")
            #expect((0...0.001).contains(settings.learningRate - last.learningRate), "\(rowCount)")
            #expect(settings.trees(.outcomes)["trees"] == "auto", "\(rowCount)")
            let names = members(Int(rowCount))
            #expect(names == lastMembers.filter(names.contains), "\(rowCount)")
            last = settings
            lastMembers = names
        }
        #expect(
            last.outcomeLeaves == 59 && last.effectLeaves == 11 && last.maxBins == 255
                && last.learningRate == 0.2)
    }

    @Test("Nothing changes between 20,000 rows and 20,001")
    func twentyThousand() {
        let (left, right) = (AutoSettings(rowCount: 20_000), AutoSettings(rowCount: 20_001))
        #expect(members(20_000) == members(20_001))
        for size in AutoSettings.TreeSize.allCases {
            #expect(left.trees(size) == right.trees(size))
        }
        #expect(left.bart == right.bart)
    }

    @Test("Small data have every member; what many rows leave out is known")
    func membersByRows() {
        #expect(Set(members(5000)) == Set(AutoMember.Name.allCases))
        #expect(Set(members(5000)).subtracting(members(5001)) == [.propensityCurves])
        #expect(
            Set(members(50_000)).subtracting(members(50_001))
                == [.marginalLasso, .jointLassoLinear, .jointLasso, .effectLassoLinear])
        #expect(
            Set(members(100_000)).subtracting(members(100_001))
                == [.jointTrees, .marginalTrees, .bartBesideControl])
        #expect(members(100_001) == members(10_000_000))
    }

    @Test("Where a category is large, trees stay small however many rows there are")
    func largeCategories() throws {
        func settings(levels: Int) throws -> AutoSettings {
            let codes = (0..<20_000).map { Int32($0 % levels) }
            return AutoSettings(
                try CausalDataset(
                    covariates: Table([
                        Column("level", codes: StridedValues(codes), levels: (0..<levels).map { "\($0)" })
                    ]),
                    treatment: Treatment(arms: codes.map { $0 % 2 }, labels: ["0", "1"]),
                    outcome: Outcome(codes.map(Double.init))))
        }
        let small = try settings(levels: 64)
        let large = try settings(levels: 65)
        #expect(small.outcomeLeaves == 18 && small.effectLeaves == 6)
        #expect(
            large.outcomeLeaves == 8 && large.effectLeaves == 4 && large.maxBins == 255
                && large.learningRate == 0.1)
    }

    @Test(
        "A bin holds sixteen rows; levels of a large category share none once there are eight rows for each")
    func bins() {
        #expect(AutoSettings(rowCount: 200).maxBins == 63)
        #expect(AutoSettings(rowCount: 2000).maxBins == 125)
        #expect(AutoSettings(rowCount: 4080).maxBins == 255)
        #expect(AutoSettings(rowCount: 1000, hasLargeCategory: true).maxBins == 125)
        #expect(AutoSettings(rowCount: 2040, hasLargeCategory: true).maxBins == 255)
    }

    @Test(
        "Sweeps of Bayesian trees are fewer for more rows, and more where a sweep does not see every column")
    func sweeps() {
        func sweeps(_ rowCount: Int, columns: Int) -> [SpecValue?] {
            let bart = AutoSettings(rowCount: rowCount, columnCount: columns).bart
            return [bart["sweeps"], bart["burn_in"], bart["columns_per_sweep"]]
        }
        #expect(sweeps(2500, columns: 30) == [30, 11, 30])
        #expect(sweeps(5000, columns: 31) == [40, 15, 30])
        #expect(sweeps(5000, columns: 30) == [21, 7, 30])
        for columns in [30, 31] {
            #expect(sweeps(50_000, columns: columns) == [16, 6, 30])
        }
    }
}
