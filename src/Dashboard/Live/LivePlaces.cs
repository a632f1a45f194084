namespace Orders.Dashboard.Live;

/// <summary>The places at the stream of live figures: some for all, fewer for each operator.</summary>
internal sealed class LivePlaces(LiveOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _taken = [];
    private int _all;

    /// <summary>How many are taken.</summary>
    public int Taken
    {
        get
        {
            lock (_lock)
                return _all;
        }
    }

    /// <summary>Takes a place until it is disposed.</summary>
    /// <param name="name">The operator.</param>
    /// <param name="refusal">The HTTP status of the refusal; 0 with a place.</param>
    /// <returns>The place; null when there is none.</returns>
    public IDisposable? TryTake(string name, out int refusal)
    {
        lock (_lock)
        {
            var own = _taken.GetValueOrDefault(name);
            refusal =
                own >= options.MostPerOperator ? StatusCodes.Status429TooManyRequests
                : _all >= options.Most ? StatusCodes.Status503ServiceUnavailable
                : 0;
            if (refusal != 0)
                return null;
            _taken[name] = own + 1;
            _all++;
            return new Place(this, name);
        }
    }

    private void Leave(string name)
    {
        lock (_lock)
        {
            _all--;
            if (--_taken[name] == 0)
                _taken.Remove(name);
        }
    }

    private sealed class Place(LivePlaces places, string name) : IDisposable
    {
        private int _gone;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _gone, 1) == 0)
                places.Leave(name);
        }
    }
}
