using System.Globalization;
using Orders.Bench.Load.Systems;

namespace Orders.Bench.Load;

/// <summary>What the command line asks for; deploy/dev/bench.sh explains each option.</summary>
public sealed record BenchOptions
{
    public BenchMode Mode { get; private init; }

    public IReadOnlyList<string> Systems { get; private init; } = [.. SystemCatalogue.Names];

    public int Orders { get; private init; } = 4000;

    public int Warmup { get; private init; } = 4500;

    public int Rounds { get; private init; } = 3;

    public int Clients { get; private init; } = 32;

    public int Rate { get; private init; } = 200;

    public int Seed { get; private init; } = 1;

    /// <summary>Rows that the relay has to send, in <see cref="BenchMode.Relay"/>.</summary>
    public int Rows { get; private init; } = 200_000;

    /// <summary>Finished orders to measure on top of, in <see cref="BenchMode.Growth"/>.</summary>
    public int Finished { get; private init; } = 5_000_000;

    /// <summary>Outbox rows that wait, in <see cref="BenchMode.Growth"/>.</summary>
    public int Waiting { get; private init; } = 1_000_000;

    /// <summary>Orders posted while no worker runs, in <see cref="BenchMode.Growth"/>.</summary>
    public int Backlog { get; private init; } = 100_000;

    public string? JsonFile { get; private init; }

    public string? DocFile { get; private init; }

    /// <exception cref="ArgumentException">Lists every problem at once, each with what would be right.</exception>
    public static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        List<string> problems = [];
        var options = new BenchOptions();
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] is "--relay" or "--growth")
            {
                options = options with { Mode = arguments[i] == "--relay" ? BenchMode.Relay : BenchMode.Growth };
                continue;
            }

            var (name, value) = (arguments[i], i + 1 < arguments.Count ? arguments[i + 1] : "");
            options = name switch
            {
                "--systems" => options with { Systems = InOrder(SystemNames(value)) },
                "--against" => options with { Systems = InOrder([OrdersSystem.Name, .. SystemNames(value)]) },
                "--orders" => options with { Orders = Number(name, value, 100, 1_000_000) },
                "--warmup" => options with { Warmup = Number(name, value, 1, 1_000_000) },
                "--rounds" => options with { Rounds = Number(name, value, 1, 100) },
                "--clients" => options with { Clients = Number(name, value, 1, 1000) },
                "--rate" => options with { Rate = Number(name, value, 1, 100_000) },
                "--seed" => options with { Seed = Number(name, value, 0, int.MaxValue) },
                "--json" => options with { JsonFile = File(name, value) },
                "--doc" => options with { DocFile = File(name, value) },
                "--rows" => options with { Rows = Number(name, value, 1000, 10_000_000) },
                "--finished" => options with { Finished = Number(name, value, 0, 50_000_000) },
                "--waiting" => options with { Waiting = Number(name, value, 0, 50_000_000) },
                "--backlog" => options with { Backlog = Number(name, value, 0, 10_000_000) },
                _ => Unknown(name),
            };
            i++;
        }

        return problems.Count == 0 ? options : throw new ArgumentException(string.Join(Environment.NewLine, problems));

        // In the order of the catalogue: Orders, when it takes part, is what the others are compared with.
        static string[] InOrder(string[] names) => [.. SystemCatalogue.Names.Intersect(names)];

        string[] SystemNames(string list)
        {
            string[] names =
            [
                .. list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                    .SelectMany(SystemCatalogue.Expand)
                    .Distinct(),
            ];
            if (names.Length == 0 || names.Except(SystemCatalogue.Names).Any())
                problems.Add(
                    $"expected systems out of {string.Join(", ", SystemCatalogue.Names)}, bullmq; got `{list}`"
                );
            return names;
        }

        int Number(string name, string value, int least, int most)
        {
            if (int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
                return number;
            problems.Add($"{name} must be {least}–{most}, got `{value}`");
            return least;
        }

        string File(string name, string value)
        {
            if (value.Length == 0)
                problems.Add($"{name} needs a file name");
            return value;
        }

        BenchOptions Unknown(string name)
        {
            problems.Add($"unknown option `{name}`; see ./dev bench --help");
            return options;
        }
    }
}
