using Orders.Bench.Load.Reporting;

namespace Orders.Bench.Load.Tests.Reporting;

public sealed class FiguresTests
{
    [Test]
    public void The_median_is_the_middle_round_of_each_figure()
    {
        var median = Figures.Median([Round(cpu: 3, rate: 10), Round(cpu: 1, rate: 30), Round(cpu: 2, rate: 20)]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(median.CpuSecondsPer1000, Is.EqualTo(2));
            Assert.That(median.OrdersPerSecond, Is.EqualTo(20));
        }
    }

    [Test]
    public void The_groups_add_up_to_the_total()
    {
        var median = Figures.Median([Round(cpu: 3, rate: 10), Round(cpu: 1, rate: 30), Round(cpu: 2, rate: 20)]);
        Assert.That(median.CpuByGroup.Values.Sum(), Is.EqualTo(median.CpuSecondsPer1000));
    }

    private static Figures Round(double cpu, double rate) =>
        new()
        {
            OrdersPerSecond = rate,
            CpuByGroup = new() { ["api"] = cpu / 4, ["worker"] = cpu * 3 / 4 },
            RssMb = new() { ["api"] = 1, ["worker"] = 1 },
            IdleCpuPercent = new() { ["api"] = 0, ["worker"] = 0 },
        };
}
