import MetaLearnersCore
import PluginEstimators
import Testing
import _TestSupport

@Suite(.enabled(if: FootprintMeasure.isPossible)) struct FootprintTests {
    @Test(
        "a plug-in that keeps its rows takes about the memory that its footprint says; columns of types that it does not know are copied",
        arguments: [false, true])
    func footprint(copies: Bool) async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            [copies] in
            let data = try FootprintData(rows: 200_000, numbers: 20)
            var columns = data.features.columns
            if copies {
                columns = columns.map { column in
                    Column(
                        column.name,
                        StridedValues(column.values.doubles().map { Int32($0 * 1_000_000) }))
                }
            }
            let estimator = try BuiltPlugin.registry(BuiltPlugin.neighbours()).makeEstimator(
                EstimatorChoice("knn"), at: .root)
            let task = try TrainingTask(
                features: Table(columns), rows: Array(0..<200_000), target: data.target)
            print(try FootprintMeasure(estimator, [task]).line)
        }
        let measure = try #require(FootprintMeasure(result?.standardOutputContent ?? []))
        #expect(measure.isAbout, "\(measure)")
    }
}
