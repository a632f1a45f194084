using System.Globalization;
using Orders.Chaos.Planning;

namespace Orders.Chaos;

/// <summary>What the command line asks for; deploy/dev/chaos.sh explains each option.</summary>
public sealed record ChaosOptions
{
    /// <summary>The seed of orders and plan.</summary>
    public int Seed { get; private init; } = 1;

    /// <summary>How many orders are posted.</summary>
    public int Orders { get; private init; } = 2000;

    /// <summary>How many faults are planned.</summary>
    public int Faults { get; private init; } = 12;

    /// <summary>The mean time between two faults of a plan.</summary>
    public TimeSpan Gap { get; private init; } = TimeSpan.FromSeconds(9);

    /// <summary>Orders a second; null spreads them over the plan.</summary>
    public double? Rate { get; private init; }

    /// <summary>The only kind of faults that is planned; null for all.</summary>
    public FaultKind? Kind { get; private init; }

    /// <summary>What is done.</summary>
    public string Scenario { get; private init; } = Scenarios.Plan;

    /// <summary>Whether the plan is only printed.</summary>
    public bool PlanOnly { get; private init; }

    /// <summary>Where the plan, the history and the report are written.</summary>
    public string Folder { get; private init; } = "artifacts/chaos";

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="ArgumentException">Lists every problem at once, each with what would be right.</exception>
    public static ChaosOptions Parse(IReadOnlyList<string> arguments)
    {
        List<string> problems = [];
        var options = new ChaosOptions();
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            if (name == "--plan-only")
            {
                options = options with { PlanOnly = true };
                continue;
            }

            var value = ++i < arguments.Count ? arguments[i] : "";
            options = name switch
            {
                "--seed" => options with { Seed = Number(name, value, 0, int.MaxValue) },
                "--orders" => options with { Orders = Number(name, value, 1, 1_000_000) },
                "--faults" => options with { Faults = Number(name, value, 0, 1000) },
                "--gap" => options with { Gap = TimeSpan.FromSeconds(Number(name, value, 1, 600)) },
                "--rate" => options with { Rate = Number(name, value, 1, 1000) },
                "--kind" => options with { Kind = KindOf(value) },
                "--scenario" => options with { Scenario = Known(value) },
                "--folder" => options with { Folder = value },
                _ => Unknown(name),
            };
        }

        return problems.Count == 0 ? options : throw new ArgumentException(string.Join(Environment.NewLine, problems));

        int Number(string name, string value, int least, int most)
        {
            if (int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
                return number;
            problems.Add($"{name} must be {least}–{most}, got `{value}`");
            return least;
        }

        FaultKind? KindOf(string value)
        {
            if (Enum.TryParse<FaultKind>(value, ignoreCase: true, out var kind) && Enum.IsDefined(kind))
                return kind;
            problems.Add(
                $"--kind must be one of {string.Join(", ", Enum.GetNames<FaultKind>()).ToLowerInvariant()}, got `{value}`"
            );
            return null;
        }

        string Known(string value)
        {
            if (!Scenarios.Names.Contains(value))
                problems.Add($"--scenario must be one of {string.Join(", ", Scenarios.Names)}, got `{value}`");
            return value;
        }

        ChaosOptions Unknown(string name)
        {
            problems.Add($"unknown option `{name}`; see ./dev chaos --help");
            return options;
        }
    }
}
